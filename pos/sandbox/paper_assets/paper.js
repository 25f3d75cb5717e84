// Keeps the page as the server would draw it now. Only what changed is touched, so nothing flickers:
// papers that are there stay there, new ones slide out at the top, torn-off ones go.
"use strict";

const EVERY_MS = 700;

async function look() {
  const panel = document.getElementById("panel");
  const state = await (await fetch("/state", { cache: "no-store" })).json();
  if (state.version === panel.dataset.version) return;
  const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  renewPanel(panel, page);
  renewRoll(document.getElementById("roll"), page.getElementById("roll"));
}

// Buttons stay the same elements, so that the one just pressed keeps the focus.
function renewPanel(panel, page) {
  const fresh = page.getElementById("panel");
  panel.dataset.version = fresh.dataset.version;
  panel.dataset.condition = fresh.dataset.condition;
  panel.querySelector(".now").replaceWith(fresh.querySelector(".now"));
  for (const button of panel.querySelectorAll("button")) {
    if (button.value === fresh.dataset.condition) button.setAttribute("aria-pressed", "true");
    else button.removeAttribute("aria-pressed");
  }
  document.querySelector(".tear").disabled = page.querySelector(".tear").disabled;
}

function renewRoll(roll, fresh) {
  const wanted = new Set(Array.from(fresh.children, (child) => child.id));
  for (const child of Array.from(roll.children)) if (!wanted.has(child.id)) child.remove();
  let place = roll.firstElementChild;
  for (const child of Array.from(fresh.children)) {
    if (place && place.id === child.id) {
      place = place.nextElementSibling;
    } else {
      child.classList.add("fresh");
      roll.insertBefore(child, place);
    }
  }
}

// A button press stays on the page; without this script the form does the same by loading it anew.
async function press(event) {
  event.preventDefault();
  const body = new FormData(event.target, event.submitter);
  await fetch(event.target.action, { method: "POST", body: new URLSearchParams(body), headers: { Accept: "application/json" } });
  await look();
}

function showWhether(lost) {
  document.querySelector(".lost").hidden = !lost;
}

async function keepLooking() {
  try {
    await look();
    showWhether(false);
  } catch {
    showWhether(true);
  }
  setTimeout(keepLooking, EVERY_MS);
}

document.addEventListener("submit", (event) => press(event).catch(() => showWhether(true)));
keepLooking();
