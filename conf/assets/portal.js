/*
 * portal.js: makes pages quicker that are whole without it.  No dependency,
 * no HTML from strings, words from data- attributes written by the server.
 */
(() => {
  'use strict';

  const $ = (s, r = document) => r.querySelector(s);
  const $$ = (s, r = document) => [...r.querySelectorAll(s)];
  const root = document.documentElement;
  const on = (t, s, f) => document.addEventListener(t, e => { const el = e.target.closest?.(s); if (el) f(el, e); });

  /* Words hold [name] where a value belongs. */
  const say = (text, v = {}) => (text || '').replace(/\[(\w+)\]/g, (m, k) => v[k] ?? m);

  root.classList.add('js');
  $$('[data-js]').forEach(el => { el.hidden = false; });

  /* What was done is said once, politely. */
  const region = document.createElement('div');
  region.className = 'toasts';
  region.setAttribute('role', 'status');
  document.body.append(region);
  const toast = text => {
    const t = document.createElement('div');
    t.className = 'toast';
    t.textContent = text;
    region.append(t);
    setTimeout(() => t.remove(), 6000);
  };

  /* Menus close on a click beside them, when focus leaves them and on Escape; "/" goes to the search. */
  ['click', 'focusin'].forEach(t => document.addEventListener(t, e => $$('details.menu[open]').forEach(d => { if (!d.contains(e.target)) d.open = false; })));
  document.addEventListener('keydown', e => {
    if (e.key === 'Escape') $$('details.menu[open]').forEach(d => { d.open = false; $('summary', d).focus(); });
    const typing = /^(input|textarea|select)$/i.test(e.target.tagName);
    if ((e.key === '/' && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) || (e.key === 'k' && (e.ctrlKey || e.metaKey))) {
      const q = $$('[data-search]').find(i => i.offsetParent);
      if (q) { e.preventDefault(); q.focus(); }
    }
  });

  on('click', '[data-reveal]', el => {
    const i = document.getElementById(el.dataset.reveal), show = i.type === 'password';
    i.type = show ? 'text' : 'password';
    el.setAttribute('aria-pressed', String(show));
  });
  on('click', '[data-copy]', async el => {
    try { await navigator.clipboard.writeText(el.dataset.copy); toast(el.dataset.done); } catch { toast(el.dataset.failed); }
  });

  on('click', '[data-back]', () => history.back());

  /* A choice of a list asks the server at once. */
  on('change', 'select[data-auto]', el => el.form.requestSubmit());

  /*
   * A form leaves once.  The page may come back from the browser's memory,
   * with its forms as they were: they may leave again.
   */
  document.addEventListener('submit', e => {
    const f = e.target;
    if (f.method !== 'post' || e.defaultPrevented) return;
    if (f.dataset.sent) { e.preventDefault(); return; }
    f.dataset.sent = '1';
    const b = e.submitter;
    if (b) {
      b.setAttribute('aria-disabled', 'true');
      if (b.dataset.busy) { b.dataset.idle = b.textContent; b.textContent = b.dataset.busy; }
    }
  });
  addEventListener('pageshow', () => $$('form[data-sent]').forEach(f => {
    delete f.dataset.sent;
    $$('[aria-disabled=true]', f).forEach(b => {
      b.removeAttribute('aria-disabled');
      if (b.dataset.idle) b.textContent = b.dataset.idle;
    });
  }));

  /* Filter what is on the page as one types; Enter asks the server for all. */
  const plain = s => s.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
  $$('[data-filter]').forEach(input => {
    const list = document.getElementById(input.dataset.filter);
    const out = document.getElementById(input.dataset.count), none = document.getElementById(input.dataset.none);
    if (!list) return;
    const run = () => {
      const words = input.value === input.defaultValue ? [] : plain(input.value).split(/\s+/).filter(Boolean);
      let n = 0;
      $$('[data-item]', list).forEach(el => {
        const text = plain(el.textContent), hit = words.every(w => text.includes(w));
        el.hidden = !hit;
        if (hit) n++;
      });
      $$('[data-group]', list).forEach(g => { g.hidden = !$$('[data-item]', g).some(i => !i.hidden); });
      if (none) none.hidden = n > 0;
      if (out) out.textContent = words.length ? say(n === 0 ? out.dataset.none : n === 1 ? out.dataset.one : out.dataset.many, { n }) : '';
    };
    input.addEventListener('input', run);
    addEventListener('pageshow', () => { if (input.value !== input.defaultValue) run(); });
  });

  /*
   * Deposits: each file travels alone, as it is, two at a time, with its
   * progress, a way to stop it and a way to try again.  The form's own
   * attributes tell limits and words.
   */
  const size = (bytes, units) => {
    let i = 0, v = bytes;
    while (v >= 1000 && i < 3) { v /= 1000; i++; }
    return v.toLocaleString(root.lang, { maximumFractionDigits: v < 10 && i ? 1 : 0 }) + '\u00a0' + (units.split(' ')[i] || '');
  };

  $$('form[data-upload]').forEach(form => {
    const w = form.dataset, zone = $('.drop', form), input = $('input[type=file]', form);
    const list = $('[data-uploads]', form), row = $('template', form), done = $('[data-done]', form);
    const accept = (input.accept || '').toLowerCase().split(',').map(s => s.trim()).filter(Boolean);
    const max = Number(w.maxBytes) || Infinity, most = Number(w.maxFiles) || Infinity;
    const queue = [];
    let running = 0, ended = false;

    const extension = f => (f.name.match(/\.[^.]*$/) || [''])[0].toLowerCase();
    const refuse = f => {
      const ext = extension(f);
      if (accept.length && !accept.includes(ext)) return w.tType;
      if (f.size === 0) return w.tEmpty;
      if (f.size > max) return w.tSize;
      return '';
    };

    const kinds = [['img', /jpe?g|png|webp|gif|tiff?|hei[cf]/], ['xls', /xlsx?|ods/], ['doc', /docx?|odt/], ['pdf'], ['csv'], ['xml'], ['zip']];
    const show = f => {
      const li = row.content.firstElementChild.cloneNode(true), at = s => $('[data-' + s + ']', li);
      const item = { f, li, bar: $('progress', li), state: at('state'), fail: at('fail'), text: at('text'), cancel: at('cancel'), retry: at('retry'), ok: at('ok'), sign: at('sign'), open: at('open') };
      at('name').textContent = f.name;
      const ext = extension(f), kind = (kinds.find(([k, re = k]) => ext.match(re)) || ['any'])[0];
      const fi = $('.fi', li), use = $('use', fi);
      fi.classList.add('fi--' + kind);
      use.setAttribute('href', use.getAttribute('href').replace(/any$/, kind));
      item.bar.setAttribute('aria-label', say(w.tSending, { name: f.name }));
      $('.sr', item.retry).textContent = ' ' + f.name;
      item.cancel.addEventListener('click', () => {
        const i = queue.indexOf(item);
        if (i >= 0) queue.splice(i, 1);
        item.xhr?.abort();
        const next = li.nextElementSibling || li.previousElementSibling;
        li.remove();
        list.hidden = !list.children.length;
        (next && $$('button, a', next).find(b => b.offsetParent) || input).focus();
      });
      item.retry.addEventListener('click', () => { item.cancel.focus(); add(item); });
      list.append(li);
      list.hidden = false;
      return item;
    };

    const failed = (item, text, again) => {
      item.bar.hidden = true;
      item.state.textContent = '';
      item.text.textContent = say(text, { name: item.f.name, size: size(item.f.size, w.tUnits), max: size(max, w.tUnits), types: accept.join(' ') });
      $('.sr', item.cancel).textContent = say(w.tRemove, { name: item.f.name });
      item.fail.hidden = false;
      item.retry.hidden = !again;
    };

    const reason = xhr => {
      let body = {};
      try { body = JSON.parse(xhr.responseText); } catch { /* not ours: a proxy's page */ }
      const key = Object.values(body.errors || {})[0];
      const own = { 401: w.t401, 403: w.t403, 404: w.t404, 409: w.t409, 413: w.tSize, 415: w.tType, 429: w.t429, 503: w.t503, 507: w.t507 }[xhr.status];
      const said = { 'files.type': w.tType, 'files.many': w.tMany, 'files.empty': w.tEmpty, 'files.size': w.tSize, 'files.quota': w.t507 };
      return said[key] || own || (xhr.status >= 500 ? w.t500 : w.tRefused);
    };

    const send = item => {
      const xhr = item.xhr = new XMLHttpRequest(), f = item.f;
      let name;
      try { name = encodeURIComponent(f.name.normalize('NFC')); } catch { name = encodeURIComponent(f.name.replace(/[\ud800-\udfff]/g, '_')); }
      running++;
      item.state.textContent = say(w.tProgress, { percent: 0 });
      xhr.open('POST', form.action);
      xhr.setRequestHeader('Content-Type', 'application/octet-stream');
      xhr.setRequestHeader('Accept', 'application/json');
      xhr.setRequestHeader('X-Portal-File', name);
      xhr.setRequestHeader('X-Portal-CSRF', $('[name=csrf]', form).value);
      xhr.upload.onprogress = e => {
        if (!e.lengthComputable) return;
        const percent = Math.floor(100 * e.loaded / e.total);
        item.bar.value = percent;
        item.state.textContent = percent < 100 ? say(w.tProgress, { percent }) : w.tChecking;
      };
      xhr.onload = () => {
        if (xhr.status === 200 || xhr.status === 201) {
          let to = '';
          try { to = JSON.parse(xhr.responseText).location || ''; } catch { /* kept all the same */ }
          item.sent = true;
          item.bar.hidden = true;
          item.cancel.hidden = true;
          item.state.textContent = size(f.size, w.tUnits);
          item.ok.hidden = false;
          if (to && !/^[a-z]+:|^\/\//i.test(to)) { item.open.href = to; item.open.hidden = false; }
          toast(say(w.tDone, { name: f.name }));
        } else {
          if (xhr.status === 401) { ended = true; item.sign.hidden = false; }
          failed(item, reason(xhr), xhr.status === 429 || xhr.status >= 500);
        }
      };
      xhr.onerror = xhr.ontimeout = () => failed(item, w.tCut, true);
      xhr.onloadend = () => {
        item.xhr = null;
        running--;
        next();
      };
      xhr.send(f);
    };

    const next = () => {
      while (running < 2 && queue.length && !ended) send(queue.shift());
      if (ended) { queue.splice(0).forEach(i => failed(i, w.t401, false)); ended = running > 0; }
      if (done) done.hidden = running > 0 || queue.length > 0 || !$('[data-ok]:not([hidden])', list);
    };

    const add = item => {
      item.fail.hidden = item.retry.hidden = item.sign.hidden = true;
      item.bar.hidden = false;
      item.bar.value = 0;
      item.state.textContent = w.tWaiting;
      $('.sr', item.cancel).textContent = say(w.tCancel, { name: item.f.name });
      queue.push(item);
      next();
    };

    const take = files => {
      let n = running + queue.length;
      files.forEach(f => {
        const item = show(f), why = n >= most ? w.tMany : refuse(f);
        if (why) { failed(item, why, false); return; }
        n++;
        add(item);
      });
    };

    let depth = 0;
    const over = d => { depth = Math.max(0, depth + d); zone.classList.toggle('is-over', depth > 0); };
    zone.addEventListener('dragenter', () => over(1));
    zone.addEventListener('dragleave', () => over(-1));
    zone.addEventListener('dragover', e => e.preventDefault());
    zone.addEventListener('drop', e => {
      e.preventDefault();
      depth = 0;
      over(0);
      take([...e.dataTransfer.files]);
    });
    input.addEventListener('change', () => { const files = [...input.files]; input.value = ''; take(files); });
    form.addEventListener('submit', e => { e.preventDefault(); if (!input.files.length) input.click(); });
    /* a file dropped beside the zone must not replace the page */
    ['dragover', 'drop'].forEach(t => document.addEventListener(t, e => { if (e.dataTransfer?.types.includes('Files')) e.preventDefault(); }));
    addEventListener('beforeunload', e => { if (running) e.preventDefault(); });
  });

  $('.errsum')?.focus();
})();
