// <button data-copy="text"> or data-copy-from="id of an element" puts text on the clipboard and says so.
import { toast } from "./toast.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const text = source ? source.value || source.textContent : button.dataset.copy;
  await navigator.clipboard.writeText(text);
  toast(button.dataset.copied || text);
});
