// <form data-autosave="address"> saves itself a second after the last keystroke.
// It sends all fields as the form would (with its version field) and shows the state in [data-saved] inside the form
// or in the element that data-saved-in names. The server answers JSON: {"version": n, "text": "Saved 14:22"} with 200,
// 409 with {"text": ...} when somebody else saved meanwhile, 422 with {"text": ...} for what cannot be kept yet.
const PAUSE = 1000;

function show(form, state, text) {
  const place = form.querySelector("[data-saved]") || document.getElementById(form.dataset.savedIn);
  if (!place) return;
  place.classList.add("saved-state");
  place.dataset.state = state;
  place.textContent = text;
}

async function save(form) {
  if (form.dataset.saving) {
    form.dataset.again = "1";
    return;
  }
  form.dataset.saving = "1";
  show(form, "saving", form.dataset.textSaving || "…");
  try {
    const response = await fetch(form.dataset.autosave, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Requested-With": "autosave", Accept: "application/json" },
    });
    const answer = await response.json().catch(() => ({}));
    const state = response.ok ? "saved" : response.status === 409 ? "conflict" : "failed";
    if (response.ok && answer.version !== undefined && form.elements.version) form.elements.version.value = answer.version;
    show(form, state, answer.text || form.dataset[state === "saved" ? "textSaved" : "textFailed"] || "");
    if (response.ok) {
      delete form.dataset.dirty;
      form.dispatchEvent(new CustomEvent("autosaved", { bubbles: true, detail: answer }));
    }
  } catch {
    show(form, "failed", form.dataset.textFailed || "");
  }
  delete form.dataset.saving;
  form.dispatchEvent(new Event("autosave-ended"));
  if (form.dataset.again) {
    delete form.dataset.again;
    save(form);
  }
}

const timers = new WeakMap();

document.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form?.dataset.autosave) return;
  form.dataset.dirty = "1";
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => save(form), PAUSE));
});

document.addEventListener("submit", (event) => {
  clearTimeout(timers.get(event.target));
  delete event.target.dataset.dirty;
});

// The form's own buttons sent by HTMX wait for a save on its way: two at once would look like two authors.
document.addEventListener("htmx:confirm", (event) => {
  const form = event.detail.elt;
  if (!form.matches("form[data-autosave]")) return;
  clearTimeout(timers.get(form));
  delete form.dataset.dirty;
  delete form.dataset.again;
  if (!form.dataset.saving) return;
  event.preventDefault();
  form.addEventListener("autosave-ended", () => event.detail.issueRequest(true), { once: true });
});

addEventListener("beforeunload", (event) => {
  if (document.querySelector("form[data-autosave][data-dirty]")) event.preventDefault();
});
