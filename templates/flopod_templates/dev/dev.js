// The bar of `flopod dev`: follows the session, and shows pages anew when another process runs the source.
"use strict";

const bar = () => document.getElementById("dev");
const buttons = () => [...bar().querySelectorAll("button")];
let shown = "";
let focused = "";
let busy = false;
let asked = false;

async function refresh() {
  asked = true;
  if (busy) return;
  busy = true;
  while (asked) {
    asked = false;
    try {
      const answer = await fetch("/ui/dev/bar");
      if (answer.ok && bar()) show(await answer.text());
    } catch { /* flopod dev has ended; the stream tells when it is back */ }
  }
  busy = false;
}

// A button that had the focus gets it again, also if it was away for a moment.
function show(html) {
  if (html === shown) return;
  shown = html;
  const before = bar().dataset.starts;
  const active = document.activeElement;
  if (active !== document.body) focused = bar().contains(active) ? active.textContent : "";
  bar().outerHTML = html;
  if (focused && document.activeElement === document.body) buttons().find((each) => each.textContent === focused)?.focus();
  if (bar().dataset.starts !== before && !isEditing()) location.reload();
}

function isEditing() {
  const forms = [...document.querySelectorAll("main form")];
  return forms.some((form) => [...form.elements].some((field) => field.value !== undefined && field.defaultValue !== undefined && field.value !== field.defaultValue));
}

document.addEventListener("submit", async (event) => {
  if (!event.target.closest("#dev")) return;
  event.preventDefault();
  await fetch(event.target.action, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" } });
  refresh();
});

new EventSource("/ui/dev/events").onmessage = refresh;
