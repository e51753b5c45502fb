// SPDX-License-Identifier: Apache-2.0
// login.js - a password, or what stands behind the '#', becomes a session

const $ = (id) => document.getElementById(id);

// Only a path of ours: nobody sends people elsewhere by a link to this page.
function destination() {
  const next = new URLSearchParams(location.search).get('next') ?? '/';
  const url = new URL(next, location.origin);
  return next.startsWith('/') && url.origin === location.origin
    ? url.pathname + url.search : '/';
}

let timer = null;

function showWait(seconds) {
  clearInterval(timer);
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    $('submit').disabled = left > 0;
    $('submit').textContent = left > 0 ? `Wait ${left} s` : 'Log in';
    if (left <= 0) clearInterval(timer);
  };
  timer = setInterval(tick, 500);
  tick();
}

async function login(secret) {
  $('error').textContent = '';
  $('submit').disabled = true;
  let status = 0, answer = {};
  try {
    const response = await fetch('/login', { method: 'POST',
      headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(secret) });
    status = response.status;
    answer = await response.json();
  } catch { /* said below */ }
  $('submit').disabled = false;
  if (status === 200 && answer.role === 'watch' && destination().startsWith('/console')) {
    $('error').textContent = 'This password is for watching; the console has another one.';
  } else if (status === 200) {
    location.replace(destination());
    return;
  } else if (status === 429) {
    $('error').textContent = 'Too many wrong passwords.';
    showWait(answer.wait);
  } else if (status === 401) {
    $('error').textContent = secret.token
      ? 'This link has been used. The password was printed beside it.'
      : 'That is not the password.';
  } else {
    $('error').textContent = status ? 'The box refuses this.' : 'The box does not answer.';
  }
  $('password').select();
}

const forConsole = destination().startsWith('/console');
$('title').textContent = forConsole ? 'Console' : 'Watch this room';
$('why').textContent = `${location.hostname} asks for its ${forConsole ? 'console\u2019s ' : ''}password.`;
document.querySelector('form').onsubmit = (event) => {
  event.preventDefault();
  login({ password: $('password').value });
};

const given = new URLSearchParams(location.hash.slice(1));
// What opens the door does not stay in the address bar, nor in the history.
if (location.hash) history.replaceState(null, '', location.pathname + location.search);
if (given.get('token')) login({ token: given.get('token') });
else if (given.get('password')) login({ password: given.get('password') });
