// A short message at the edge. Servers send it with the response header HX-Trigger: {"toast": {"text": "…", "tone": "success"}}.
export function toast(text, tone = "") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const note = document.createElement("div");
  note.className = `notice ${tone}`;
  note.textContent = text;
  place.append(note);
  setTimeout(() => note.remove(), tone === "error" ? 12000 : 6000);
}

document.addEventListener("toast", (event) => toast(event.detail.text || event.detail.value, event.detail.tone));

// What HTMX could not fetch is said, never swallowed; a 4xx answer with words in it is shown as they are.
const words = () => document.getElementById("toasts")?.dataset;
document.addEventListener("htmx:sendError", () => toast(words()?.offline || "Offline", "error"));
document.addEventListener("htmx:responseError", (event) => {
  const said = event.detail.xhr.getResponseHeader("X-Message");
  toast(said ? decodeURIComponent(said) : words()?.failed || `${event.detail.xhr.status}`, "error");
});
