// What scrolls sideways or inside itself can be reached and scrolled by keyboard, and says what it is.
const SCROLLERS = ".table-wrap, .scroll, .card-body, .diff, pre, .waterfall-box";

function mark(element) {
  const scrolls = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
  const clips = getComputedStyle(element).overflowX !== "visible";
  if (scrolls && clips && !element.querySelector("a[href], button, input, select, textarea, summary")) {
    element.tabIndex = 0;
    if (element.hasAttribute("role")) return;
    const heading = element.closest(".card")?.querySelector("h2, h3")?.textContent.trim();
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", element.querySelector("caption")?.textContent.trim() || heading || document.title);
  }
}

// What goes on to the right fades at that edge until one is there.
function cue(element) {
  const more = element.scrollLeft + element.clientWidth < element.scrollWidth - 2;
  element.toggleAttribute("data-more", more && getComputedStyle(element).overflowX !== "visible");
}

document.addEventListener("scroll", (event) => event.target.matches?.(SCROLLERS + ", .tabs") && cue(event.target), true);

// The open tab is in view however many there are.
for (const tabs of document.querySelectorAll(".tabs")) {
  const open = tabs.querySelector("[aria-current]");
  if (open) tabs.scrollLeft = open.offsetLeft - (tabs.clientWidth - open.offsetWidth) / 2;
}

const all = () => {
  document.querySelectorAll(SCROLLERS).forEach(mark);
  document.querySelectorAll(SCROLLERS + ", .tabs").forEach(cue);
};
all();
addEventListener("resize", all, { passive: true });
document.addEventListener("htmx:afterSettle", all);
document.addEventListener("toggle", all, true);
