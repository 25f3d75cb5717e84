// The counter's keys and manners. Every page works without this file; nothing here decides about money.

const quick = 40; // a scanner types a sign every few milliseconds, a person never faster than this
const settle = 400; // a page that asks for money ignores a press that was meant for the page before
const patience = 10_000; // after this long without an answer the clerk is told what to do
const shownAt = { time: 0 };
const body = document.body;

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const visible = (element) => element.getClientRects().length > 0;

function say(sentence) {
  const place = one("#say");
  if (place && sentence && place.textContent !== sentence) place.textContent = sentence;
}

// ---------------------------------------------------------------- keys

const bursts = { last: 0, fast: 0 };

function noteTyping(event) {
  if (event.key.length !== 1) return;
  bursts.fast = event.timeStamp - bursts.last < quick ? bursts.fast + 1 : 0;
  bursts.last = event.timeStamp;
}

const fromScanner = (event) => bursts.fast >= 3 && event.timeStamp - bursts.last < 2 * quick;

function nameOf(event) {
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    return digit ? `Alt+${digit[1]}` : "";
  }
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return "";
  return /^F([1-9]|10)$/.test(event.key) || event.key === "Escape" ? event.key.replace("Escape", "Esc") : "";
}

function target(key) {
  const found = all(`[data-key~="${key}"]`).filter((element) => visible(element) && !element.disabled);
  return found.find((element) => element.closest("main")) ?? found[0];
}

function press(element) {
  if (element.matches("input:not([type=checkbox]), textarea, select")) {
    element.focus();
    element.select?.();
  } else if (element.matches("form")) element.focus();
  else element.click();
}

function help() {
  const dialog = one("#help");
  if (!dialog) return;
  if (dialog.open) return dialog.close();
  one("#help-keys").replaceChildren(...all("#keys li").map((item) => item.cloneNode(true)));
  dialog.showModal();
}

const ours = new Set(["F1", "F2", "F3", "F5", "F6", "F7", "F8", "F9", "F10"]);

document.addEventListener("keydown", (event) => {
  noteTyping(event);
  if (event.isComposing) return;
  const key = nameOf(event);
  if (!key) return enter(event);
  if (key === "Esc" && one("dialog[open], details.language[open]")) {
    one("details.language[open]")?.removeAttribute("open");
    return;
  }
  const element = key === "F1" ? null : target(key);
  // The browser would reload on F5 and change tabs on Alt+digit; a key that is ours never does that here.
  if (element || ours.has(key)) event.preventDefault();
  if (event.repeat) return;
  if (key === "F1") help();
  else if (element && !one("dialog[open]")) press(element);
});

function enter(event) {
  if (event.key !== "Enter") return along(event) || plainDigit(event);
  if (gather(event)) return;
  const form = event.target.closest?.("form");
  const guarded = event.target.closest?.("[data-guard]");
  if (event.repeat && event.target.matches?.("input, button, a, select")) return event.preventDefault();
  const button = event.target.matches?.("button, a");
  if (guarded && (fromScanner(event) || (button && performance.now() - shownAt.time < settle))) return event.preventDefault();
  if (form && event.target.matches("[data-unit]")) down(event, form);
}

// In a list of items J and K, or the arrows, go from one to the next; Enter opens it, as it does with every link.
function along(event) {
  const steps = { j: 1, J: 1, ArrowDown: 1, k: -1, K: -1, ArrowUp: -1 };
  const links = all("[data-rows] tbody th a");
  if (!links.length || !(event.key in steps) || event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.target.matches("input, select, textarea") || one("dialog[open]")) return false;
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + steps[event.key], 0), links.length - 1)].focus();
  event.preventDefault();
  return true;
}

// In the grid of plans a single digit is enough, as long as nobody is typing into a field and no scanner is at work.
function plainDigit(event) {
  if (!/^[1-9]$/.test(event.key) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!event.target.closest?.("[data-grid]")) return;
  const wanted = event.key;
  setTimeout(() => {
    if (bursts.fast === 0) one(`[data-grid] [data-key="Alt+${wanted}"]`)?.click();
  }, 2 * quick);
}

// ---------------------------------------------------------------- forms

function release(form) {
  delete form.dataset.busy;
  all("button", form).forEach((button) => {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  });
  body.classList.remove("is-busy");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog") return;
  // What opens beside this page leaves it as it is: no answer will come here.
  if ((event.submitter?.formTarget || form.target) === "_blank") return;
  if (form.dataset.busy) return event.preventDefault();
  form.dataset.busy = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  body.classList.add("is-busy");
  // Only after the browser has collected the form, or the pressed button's own value would be lost.
  setTimeout(() => {
    all("button", form).forEach((button) => (button.disabled = true));
  });
  setTimeout(() => {
    if (!form.dataset.busy || !form.isConnected) return;
    release(form);
    if (form.method === "post") warn(body.dataset.noAnswer);
  }, patience);
});

function warn(sentence) {
  let place = one("#late");
  if (!place) {
    place = Object.assign(document.createElement("p"), { id: "late", className: "offline" });
    place.setAttribute("role", "alert");
    one("#main").before(place);
  }
  place.textContent = sentence;
}

// A touch that bounces lands on the page that has just appeared; it must not take money there.
document.addEventListener("click", (event) => {
  const guarded = event.target.closest?.("[data-guard] button, a[data-guard]");
  // detail counts presses of a pointer; a click that Enter makes has none and was judged as a key already.
  if (guarded && event.detail > 0 && performance.now() - shownAt.time < settle) event.preventDefault();
}, true);

function shown() {
  shownAt.time = performance.now();
  const guarded = all("[data-guard] button, a[data-guard]");
  guarded.forEach((element) => element.setAttribute("aria-disabled", "true"));
  setTimeout(() => guarded.forEach((element) => element.removeAttribute("aria-disabled")), settle);
}

window.addEventListener("pageshow", (event) => {
  // No page is served with a button switched off: whatever a browser has kept that way after "back" is ours to undo.
  all("form").forEach(release);
  one("#late")?.remove();
  if (event.persisted) shown();
});

// ---------------------------------------------------------------- amounts

function minorOf(text, digits) {
  let plain = text.normalize("NFKC").replace(/[\s’]/g, "");
  if (/^\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain)) plain = plain.replaceAll(",", "");
  plain = plain.replace(",", ".");
  const parts = /^(\d+)(?:\.(\d*))?$/.exec(plain);
  if (!parts || (parts[2] ?? "").length > digits) return null;
  return Number(parts[1] + (parts[2] ?? "").padEnd(digits, "0"));
}

function written(minor, digits, group = true) {
  const text = String(minor).padStart(digits + 1, "0");
  const whole = digits ? text.slice(0, -digits) : text;
  const grouped = group ? whole.replace(/\B(?=(\d{3})+$)/g, ",") : whole;
  return digits ? `${grouped}.${text.slice(-digits)}` : grouped;
}

function showChange(field) {
  const place = one("#change");
  const { due, digits } = field.dataset;
  const minor = minorOf(field.value, Number(digits));
  place.classList.toggle("is-missing", minor !== null && minor < due);
  if (minor === null) return place.replaceChildren();
  const rest = Math.abs(minor - due);
  const word = minor < due ? place.dataset.missingWords : place.dataset.changeWords;
  place.replaceChildren(`${word} `, Object.assign(document.createElement("b"), { textContent: written(rest, Number(digits)) }), ` ${place.dataset.currency}`);
}

function showPieces(box) {
  const digits = Number(box.dataset.digits.trim());
  let sum = 0;
  let typed = false;
  all("[data-unit]", box).forEach((field) => {
    const pieces = /^\d+$/.test(field.value.trim()) ? Number(field.value) : 0;
    typed ||= field.value.trim() !== "";
    sum += pieces * field.dataset.unit;
    field.nextElementSibling.textContent = pieces ? written(pieces * field.dataset.unit, digits) : "";
  });
  const place = one("#pieces-sum");
  if (place) place.textContent = typed ? `${written(sum, digits)} ${place.dataset.currency}` : "";
  const total = one("[data-pieces-total]");
  if (total && typed) total.value = written(sum, digits, false);
}

function down(event, form) {
  const fields = all("[data-unit]", form);
  const next = fields[fields.indexOf(event.target) + 1];
  event.preventDefault();
  if (next) return press(next);
  const after = all("input:not([type=hidden]), button", form).filter(visible);
  after[after.indexOf(event.target) + 1]?.focus();
}

// ---------------------------------------------------------------- the scanned document

const complete = (text) => {
  const lines = text.toUpperCase().split(/\s+/).filter(Boolean);
  const shape = `${lines.length}x${new Set(lines.map((line) => line.length)).size === 1 ? lines[0].length : 0}`;
  return ["2x44", "3x30", "2x36"].includes(shape);
};
const barcode = /(ANSI ?|AAMVA)\d{8}/;
const zone = /^[PVIAC][A-Z<][A-Z<]{3}[A-Z0-9< ]*$/i;

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.matches("[data-due]")) showChange(field);
  else if (field.matches("[data-unit]")) showPieces(field.closest("[data-pieces]"));
  else if (field.id === "mrz") afterScan(field);
  else if (field.id === "entry" && gathering.timer) sendWhenSilent(field);
});

// After the last sign of the last line the scanner's own Enter may follow: wait for it before moving on. A barcode does not say
// how many lines it has: it is over when the scanner falls silent.
function afterScan(field) {
  const text = field.value.trimEnd();
  const wait = complete(text) ? 2 * quick : barcode.test(text) && bursts.fast >= 3 ? 8 * quick : 0;
  if (wait) setTimeout(() => field.value.trimEnd() === text && document.activeElement === field && one("#matches_person")?.focus(), wait);
}

// A document scanned into the field for numbers comes line by line, each with an Enter: the first one must not send it off. It is
// sent when the scanner falls silent.
const gathering = { timer: 0 };

function sendWhenSilent(field) {
  clearTimeout(gathering.timer);
  gathering.timer = setTimeout(() => {
    gathering.timer = 0;
    field.form.requestSubmit();
  }, 8 * quick);
}

function gather(event) {
  const field = event.target;
  if (field.id !== "entry") return false;
  const text = field.value.replace(/\s/g, "");
  const more = (zone.test(field.value) && text.length >= 28 && ![72, 88, 90].includes(text.length)) || barcode.test(text) || /^@/.test(text);
  if (!more) return false;
  event.preventDefault();
  field.value += " ";
  sendWhenSilent(field);
  return true;
}

// ---------------------------------------------------------------- fragments (htmx)

const answers = { strip: "" };

body.addEventListener("htmx:beforeSwap", (event) => {
  const { target: place, xhr } = event.detail;
  one("#offline")?.setAttribute("hidden", "");
  if (xhr.status !== 200) return;
  if (/<html[\s>]/i.test(xhr.responseText)) {
    // Signed out meanwhile: the lock screen came instead of a fragment.
    event.detail.shouldSwap = false;
    return location.reload();
  }
  if (place.id === "strip") {
    event.detail.shouldSwap = answers.strip !== xhr.responseText;
    answers.strip = xhr.responseText;
  }
  if (place.id === "progress") event.detail.shouldSwap = !sameOutcome(place, xhr.responseText);
});

// The same state again: move the bar, leave every button under the finger that is about to press it.
function sameOutcome(place, text) {
  const fresh = one("#progress", new DOMParser().parseFromString(text, "text/html"));
  if (!fresh || fresh.dataset.mark !== place.dataset.mark || fresh.hasAttribute("data-polls") !== place.hasAttribute("data-polls")) return false;
  const bar = one("#wait", place);
  const freshBar = one("#wait", fresh);
  if (bar && freshBar) bar.value = freshBar.value;
  const left = one("#wait-left", place);
  if (left) left.textContent = one("#wait-left", fresh)?.textContent ?? "";
  return true;
}

// Lines that do not read right are scanned again, into the same field; what it holds is replaced. An answer about lines that the
// scanner has replaced meanwhile takes no focus away.
function scanAgain(place) {
  const field = one("#mrz");
  const about = one("input[name=mrz]", place)?.value ?? "";
  if (!complete(field.value) || about.replace(/\s/g, "") !== field.value.replace(/\s/g, "")) return;
  if (["mrz", "matches_person"].includes(document.activeElement.id)) press(field);
}

body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "reading") return scanAgain(event.detail.target);
  if (event.detail.target.id !== "progress") return; // the strip never takes the focus away from a field
  const place = one("#progress");
  say(place.dataset.say);
  if (place.contains(document.activeElement) || document.activeElement === body) one("[autofocus]", place)?.focus();
  shown();
});

body.addEventListener("htmx:sendError", () => one("#offline")?.removeAttribute("hidden"));
body.addEventListener("htmx:timeout", () => one("#offline")?.removeAttribute("hidden"));

// ---------------------------------------------------------------- at the start

shown();
// Not autofocus: the grid is taller than the screen, and the browser would scroll number and filters out of sight.
if (document.activeElement === body) one("[data-grid]")?.focus({ preventScroll: true });
all("[data-pieces]").forEach(showPieces);
const tendered = one("[data-due]");
if (tendered) showChange(tendered);
say(one("#progress")?.dataset.say);
document.documentElement.classList.add("has-script");
