// A form or button with data-confirm="what will happen" asks in a <dialog> before it is sent.
// data-confirm-label is the word on the button that does it. <button data-opens="id"> opens the dialog of that id.
function ask(text, label) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", label);
  const words = document.createElement("p");
  words.textContent = text;
  const row = document.createElement("form");
  row.method = "dialog";
  row.className = "row";
  const yes = Object.assign(document.createElement("button"), { value: "yes", textContent: label });
  yes.className = "button danger primary";
  const no = Object.assign(document.createElement("button"), { value: "", autofocus: true });
  no.textContent = document.documentElement.dataset.cancel || "Cancel";
  no.className = "button";
  row.append(yes, no);
  dialog.append(words, row);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
  });
}

const agreed = new WeakSet();

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const source = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!source.dataset.confirm || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const label = source.dataset.confirmLabel || event.submitter?.textContent.trim() || "OK";
    if (await ask(source.dataset.confirm, label)) {
      agreed.add(form);
      form.requestSubmit(event.submitter);
    }
  },
  true,
);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  const dialog = opener && document.getElementById(opener.dataset.opens);
  if (dialog instanceof HTMLDialogElement) {
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
});
