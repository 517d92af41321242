// The message editor: merge fields go where the cursor was, the preview follows each autosave.
let last = null;

document.addEventListener("focusin", (event) => {
  if (event.target.matches("#editor input:not([type=hidden]), #editor textarea")) last = event.target;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button || !last?.isConnected) return;
  last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
  last.dispatchEvent(new Event("input", { bubbles: true }));
  last.focus();
});

document.addEventListener("autosaved", () => {
  for (const frame of document.querySelectorAll("iframe[data-refresh]")) frame.src = frame.src;
});
