'use strict';

// The buttons that add, remove and move messages send the form. Here the answer replaces the form in place, so that the
// page does not jump, and the focus stays at the button.
const replace = async (form, button) => {
  const fields = new URLSearchParams(new FormData(form, button));
  const answer = await fetch(form.action, { method: 'POST', body: fields }).catch(() => null);
  if (!answer?.ok) {
    // The browser sends the form and shows what is wrong. It must say which button was pressed: without one it saves.
    form.append(Object.assign(document.createElement('input'), { type: 'hidden', name: 'do', value: button.value }));
    form.submit();
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  form.replaceWith(page.getElementById('prompt'));
  listen();
  const [, what, place] = button.value.split('.');
  focus(what, Number(place));
};

const focus = (what, place) => {
  const messages = document.querySelectorAll('fieldset.message');
  const to = { add: messages.length - 1, up: place - 1, down: place + 1, remove: Math.min(place, messages.length - 1) };
  const field = messages[to[what]]?.querySelector('textarea') ?? document.querySelector('button[value="message.add"]');
  field.focus();
};

const listen = () => {
  document.getElementById('prompt').addEventListener('submit', (event) => {
    if (event.submitter?.value.startsWith('message.')) {
      event.preventDefault();
      replace(event.currentTarget, event.submitter);
    }
  });
};

listen();
