// Moving a campaign's bar: by mouse, finger or arrow keys. Every whole day asks the server what the move would do; nothing
// holds before the button in the panel is pressed. Without this script the bar's link opens the same panel as a page.
const inner = document.getElementById("timeline");
const panel = document.getElementById("calendar-panel");
let moved = null; // { bar, days }
let asking = 0;

const dayWidth = (bar) => bar.parentElement.clientWidth / Number(inner.dataset.days);

function place(bar, days) {
  bar.style.translate = days ? `${days * dayWidth(bar)}px 0` : "";
  bar.classList.toggle("preview", days !== 0);
}

function ask(bar, days) {
  clearTimeout(asking);
  asking = setTimeout(() => {
    window.htmx.ajax("GET", `${bar.dataset.move}?days=${days}`, { target: "#calendar-panel", swap: "innerHTML" });
  }, 90);
}

function show(bar, days) {
  if (moved && moved.bar !== bar) place(moved.bar, 0);
  moved = { bar, days };
  place(bar, days);
  ask(bar, days);
}

function leave() {
  if (!moved) return;
  clearTimeout(asking);
  place(moved.bar, 0);
  const name = moved.bar.querySelector(".bar-name");
  const days = moved.days;
  ask(moved.bar, 0);
  moved = null;
  if (days) name.focus();
}

function drag(event) {
  const bar = event.target.closest?.(".bar[data-move]");
  if (!bar || event.button !== 0) return;
  const from = event.clientX;
  const base = moved?.bar === bar ? moved.days : 0;
  let days = base;
  let far = false;
  const follow = (step) => {
    const dx = step.clientX - from;
    if (!far && Math.abs(dx) < 4) return;
    if (!far) bar.setPointerCapture(event.pointerId);
    far = true;
    bar.classList.add("dragging");
    bar.style.translate = `${base * dayWidth(bar) + dx}px 0`;
    const now = base + Math.round(dx / dayWidth(bar));
    if (now !== days) { days = now; ask(bar, days); }
  };
  const drop = () => {
    bar.removeEventListener("pointermove", follow);
    bar.classList.remove("dragging");
    if (!far) return;
    bar.addEventListener("click", (click) => { click.preventDefault(); click.stopPropagation(); }, { once: true, capture: true });
    show(bar, days);
  };
  bar.addEventListener("pointermove", follow);
  bar.addEventListener("pointerup", drop, { once: true });
  bar.addEventListener("pointercancel", () => { drop(); leave(); }, { once: true });
}

// What it is, what it collides with, and who may move it.
const open = (name) => window.htmx.ajax("GET", name.href, { target: "#calendar-panel", swap: "innerHTML" });

function keys(event) {
  if (event.key === "Escape" && moved) { leave(); return; }
  const bar = event.target.closest?.(".bar");
  if (!bar || !["ArrowLeft", "ArrowRight"].includes(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  if (!bar.dataset.move) { open(bar.querySelector(".bar-name")); return; }
  const step = (event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 7 : 1);
  show(bar, (moved?.bar === bar ? moved.days : 0) + step);
}

function click(event) {
  if (event.target.closest?.("[data-cancel-move]") && moved) { event.preventDefault(); leave(); return; }
  const plate = event.target.closest?.("a.plate[hx-get]");
  if (plate) for (const each of inner.querySelectorAll("a.plate")) each.classList.toggle("chosen", each === plate);
  const name = event.target.closest?.(".bar .bar-name");
  if (!name || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const bar = name.closest(".bar");
  if (moved?.bar === bar && moved.days) { panel.querySelector("[data-confirm-move]")?.focus(); return; }
  open(name);
}

// The panel's own buttons move too: the bar follows what the panel says.
function follow(event) {
  const shown = event.target.querySelector?.("#move-panel") || event.target.closest?.("#move-panel");
  if (shown && moved) { moved.days = Number(shown.dataset.days); place(moved.bar, moved.days); }
}

if (inner && panel && window.htmx) {
  inner.addEventListener("pointerdown", drag);
  inner.addEventListener("click", click);
  document.addEventListener("keydown", keys);
  panel.addEventListener("click", click);
  document.addEventListener("htmx:afterSwap", follow);
}
