// What tests ask of a page: each function returns what is wrong with it, or what is there.

function focused() {
  const one = document.activeElement;
  const box = one.getBoundingClientRect();
  const style = getComputedStyle(one.matches(".yes-no input") ? one.closest("label") : one);
  const node = one.matches(".node") && getComputedStyle(one.querySelector(".box"));
  const outlined = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none";
  return {
    tag: one.tagName,
    name: (one.getAttribute("aria-label") || one.textContent || one.name || "").trim().slice(0, 40),
    seen: outlined || one.matches(".skip") || (node && parseFloat(node.strokeWidth) >= 2),
    inside: box.width > 0 && box.height > 0,
    path: one.dataset.path || "",
  };
}

function unnamed() {
  const asked = [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, a[href]")];
  const name = (one) =>
    [...(one.labels || [])].map((each) => each.textContent.trim()).join("") ||
    one.getAttribute("aria-label") || one.textContent.trim() || one.querySelector("img[alt]");
  return asked.filter((one) => !one.closest("[hidden]") && !name(one)).map((one) => one.outerHTML.slice(0, 120));
}

function headings() {
  const found = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  return found.filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]));
}

// Texts whose contrast to what is behind them is less than WCAG asks for, as the browser has computed both.
function unreadable() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, under) => under.map((value, n) => (top[n] * top[3] + value * (255 - top[3])) / 255);
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const own = rgba(getComputedStyle(one).backgroundColor);
    return own[3] === 255 ? own.slice(0, 3) : over(own, ground(one.parentElement));
  };
  const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const contrast = (one) => {
    const ink = rgba(getComputedStyle(one).color);
    for (let each = one; each; each = each.parentElement) ink[3] *= Number(getComputedStyle(each).opacity);
    const [low, high] = [light(over(ink, ground(one))), light(ground(one))].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const one = walker.currentNode.parentElement;
    if (!text || !one.checkVisibility() || one.closest("svg, .sr, .skip, :disabled")) continue;
    if (contrast(one) < 4.5) bad.add(`${one.className || one.tagName}: ${text.slice(0, 30)}: ${contrast(one).toFixed(2)}`);
  }
  return [...bad];
}
