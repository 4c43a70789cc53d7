// Follows a run that goes on: by the server's events, or by looking every few seconds where there is no room for these.
// Without script the page says how to load it again.
"use strict";

const PAUSE = 2000; // milliseconds between looks
const LONG_PAUSE = 10000; // after an answer that asks for patience
const LOOKS = 15; // after which the events are tried again

const status = document.getElementById("said");
let section = document.getElementById("run");
let said = section.dataset.say;
let source = null;
let timer = null;

function show(told) {
  for (const place of section.querySelectorAll("[data-live]")) {
    place.textContent = told.texts[place.dataset.live];
  }
  section.querySelector("progress").value = told.percent;
  if (told.say !== said) {
    said = told.say;
    status.textContent = said;
  }
}

function tell(text) {
  const how = document.getElementById("how");
  if (how) how.textContent = text;
}

function rest() {
  source?.close();
  source = null;
  clearTimeout(timer);
}

// Puts the page as it is now in place of what changed; nothing is taken away under somebody's fingers.
async function renew() {
  rest();
  section.removeAttribute("data-events");
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["run", "rows"]) {
    const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (!next || old.contains(document.activeElement)) continue;
    old.replaceWith(document.adoptNode(next));
  }
  section = document.getElementById("run");
  tell("The run is over. Load the page again to see all of it.");
}

function follow() {
  rest();
  source = new EventSource(section.dataset.events);
  source.onopen = () => tell("This page follows the run by itself.");
  source.addEventListener("progress", (event) => show(JSON.parse(event.data)));
  source.addEventListener("over", renew);
  source.addEventListener("busy", () => look(LOOKS));
  source.addEventListener("refused", (event) => {
    rest();
    tell(JSON.parse(event.data));
  });
  source.onerror = () => {
    if (source?.readyState === EventSource.CLOSED) look(LOOKS);
  };
}

async function look(more) {
  rest();
  tell("This page looks every few seconds how far the run is.");
  let pause = PAUSE;
  try {
    const answer = await fetch(section.dataset.progress, { redirect: "manual" });
    if (answer.ok) {
      const told = await answer.json();
      show(told);
      if (told.is_over) return renew();
    } else if (answer.status === 429 || answer.status >= 500) {
      pause = LONG_PAUSE;
    } else {
      return tell("This page cannot follow the run any more. Load it again.");
    }
  } catch {
    pause = LONG_PAUSE; // the server does not answer for now
  }
  timer = setTimeout(() => (more > 1 ? look(more - 1) : follow()), pause);
}

if (section.dataset.events) {
  if (!document.hidden) follow();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !section.dataset.events) rest();
    else follow();
  });
}
