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

const all = () => document.querySelectorAll(SCROLLERS).forEach(mark);
all();
addEventListener("resize", all, { passive: true });
document.addEventListener("htmx:afterSettle", all);
document.addEventListener("toggle", all, true);
