// The editor of a target: a live preview, the server's messages at their fields, and cards without a new page.
"use strict";

const PAUSE = 400; // milliseconds without a key, after which the preview is asked for
const UNREACHABLE = "The server cannot be reached now. What you typed is still here.";
const form = document.querySelector("form[data-editor]");
const shown = document.getElementById("preview");
const kept = new WeakMap(); // what was typed into a field before it was left to the template
let timer = 0;
let asked = new AbortController();

function fields(pressed) {
  const typed = new URLSearchParams(new FormData(form));
  if (pressed) typed.append("do", pressed);
  return typed;
}

async function send(address, body) {
  asked.abort();
  asked = new AbortController();
  const headers = { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content };
  const answer = await fetch(address, { method: "POST", body, headers, signal: asked.signal, redirect: "error" });
  return { status: answer.status, page: new DOMParser().parseFromString(await answer.text(), "text/html") };
}

function place(name) {
  const keys = name.split(".");
  while (keys.length) {
    const found = form.querySelector(`[data-said="${CSS.escape(keys.join("."))}"]`);
    if (found) return found;
    keys.pop();
  }
  return form.querySelector("[data-said=form]");
}

function tell(messages) {
  for (const said of form.querySelectorAll("[data-said]")) said.replaceChildren();
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const message of messages) {
    const told = document.createElement("p");
    told.className = message.className;
    told.textContent = message.textContent;
    const said = place(message.dataset.for);
    said.append(told);
    if (message.className !== "mistake") continue;
    const input = form.querySelector(`[aria-describedby~="${CSS.escape(said.id)}"]`);
    if (input) input.setAttribute("aria-invalid", "true");
  }
}

async function preview() {
  try {
    const { status, page } = await send(form.dataset.preview, fields());
    if (status !== 200) {
      shown.textContent = page.querySelector("[role=alert]")?.textContent ?? `The server answered ${status}.`;
      return;
    }
    const messages = [...page.querySelectorAll("[data-for]")];
    page.querySelector("ul[hidden]")?.remove();
    shown.replaceChildren(...page.body.childNodes);
    tell(messages);
  } catch (error) {
    if (error.name !== "AbortError") shown.textContent = UNREACHABLE;
  }
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
}

// Press a button that changes the form and saves nothing: the server's form takes the place of this one.
async function exchange(pressed) {
  clearTimeout(timer);
  const focused = document.activeElement?.id;
  const typed = fields(pressed);
  form.inert = true; // what is typed meanwhile would be lost
  try {
    const { status, page } = await send(form.action, typed);
    const fresh = page.querySelector("form[data-editor]");
    if (!fresh) throw new Error(page.querySelector("[role=alert]")?.textContent ?? `The server answered ${status}.`);
    form.replaceChildren(...fresh.childNodes);
    shown.replaceChildren(...page.getElementById("preview").childNodes);
  } catch (error) {
    shown.textContent = error.name === "TypeError" ? UNREACHABLE : error.message;
  } finally {
    form.inert = false;
  }
  if (focused) document.getElementById(focused)?.focus();
}

function choose(target) {
  const field = target.closest("[data-field]");
  if (!field) return;
  const typed = field.querySelector("[data-value] > input, [data-value] > textarea, [data-value] > select");
  if (target.type === "radio" && target.name.startsWith("how.")) {
    if (!typed) return;
    if (target.value === "own") {
      if (!typed.value) typed.value = kept.get(typed) ?? "";
    } else {
      kept.set(typed, typed.value);
      typed.value = "";
    }
  } else if (target.closest("[data-value]") && target.name !== "card.type") {
    field.querySelector("input[type=radio][value=own]").checked = true;
  }
}

async function offer(input) {
  const list = document.getElementById(input.getAttribute("list"));
  const query = new URLSearchParams({ q: input.value, of: input.dataset.offers });
  const answer = await fetch(`${form.dataset.names}?${query}`).catch(() => null);
  if (!answer?.ok) return;
  const names = (await answer.text()).split("\n").filter(Boolean);
  list.replaceChildren(...names.map((name) => new Option(name, name)));
}

if (form) {
  form.addEventListener("input", (event) => {
    choose(event.target);
    if (event.target.dataset.offers) offer(event.target);
    if (event.target.matches("select[name$='.type']")) exchange("preview");
    else later();
  });
  form.addEventListener("submit", (event) => {
    const pressed = event.submitter?.value ?? "";
    if (pressed !== "preview" && !pressed.startsWith("card.")) return;
    event.preventDefault();
    exchange(pressed);
  });
}
