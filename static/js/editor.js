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

const refresh = () =>
  document.getElementById("preview") &&
  window.htmx.ajax("GET", location.href, { target: "#preview", select: "#preview", swap: "outerHTML show:none" });

document.addEventListener("autosaved", refresh);

// A block's button brings the editor back changed: the focus goes where the server says the work goes on.
document.addEventListener("htmx:afterSettle", (event) => {
  const editing = event.target.id === "editing" ? event.target : null;
  if (!editing) return;
  const place = document.getElementById(editing.dataset.focus || "");
  const field = place?.matches("button") ? place : place?.querySelector("input:not([type=hidden]), textarea, select");
  (field || place?.querySelector("button:enabled"))?.focus();
  refresh();
});
