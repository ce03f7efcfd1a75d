// What the scripts of this folder share: the talk with Portal::Browser, a
// browser, visitors who are watched, and the checks that every page has to
// pass.
//
//     import { scenario, finish, is, call, facts } from './lib/suite.mjs';
//
//     await scenario('the list', { as: 'sophie' }, async v => {
//       await v.go('documents');
//       is(await v.page.title(), 'Documents · Cabinet Martin', 'title');
//       await v.check('documents');
//     });
//     await finish();
//
// A scenario is played once for each size.  A visitor (v) is a browser of its
// own: v.page its page, v.go(path below the mount), v.check(name), v.tab() one
// more page, v.visitor({…}) another browser.  At the end of a scenario each
// visitor has seen no error in the console but those of statuses announced by
// v.expect(401), no violation of the content security policy, no request to
// another origin.

import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import readline from 'node:readline';
import { chromium } from 'playwright-core';
import { AxeBuilder } from '@axe-core/playwright';

const wire = new net.Socket({ fd: 3 });
const lines = readline.createInterface({ input: wire })[Symbol.asyncIterator]();
const tell = m => wire.write(JSON.stringify(m) + '\n');
const hear = async () => JSON.parse((await lines.next()).value);

export const facts = await hear();

let turn = Promise.resolve();
export function call(name, ...args) {
  const answer = turn.then(async () => {
    tell({ call: name, with: args });
    const m = await hear();
    if (m.error) throw new Error(`${name}: ${m.error}`);
    return m.value;
  });
  turn = answer.catch(() => {});
  return answer;
}

/* Tests. */

let where = '';
const text = v => typeof v === 'string' ? v : JSON.stringify(v);

export function ok(value, name, detail = '') {
  tell({ ok: Boolean(value), name: `${where}${name}`, detail: String(detail) });
  return Boolean(value);
}
export const is = (got, wanted, name) => ok(text(got) === text(wanted), name, `got ${text(got)}, wanted ${text(wanted)}`);
export const like = (got, re, name) => ok(re.test(got ?? ''), name, `got ${text(got)}, wanted ${re}`);
export const unlike = (got, re, name) => ok(!re.test(got ?? ''), name, `got ${text(got)}`);
export const note = m => tell({ note: String(m) });

/* Waits for what comes by itself. */
export async function until(what, f, ms = 8000) {
  const end = Date.now() + ms;
  let last;
  for (;;) {
    try {
      last = await f();
      if (last) return last;
    } catch (e) { last = e; }
    if (Date.now() > end) throw new Error(`in vain: ${what} (${last})`);
    await new Promise(r => setTimeout(r, 40));
  }
}

/* The browser. */

export const SIZES = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 900 } };

const browser = await chromium.launch({
  executablePath: facts.chromium,
  headless: true,
  /* a page may come back from the browser's memory, as in real life */
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-software-rasterizer', '--in-process-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
});

/* Of a document: what no page may have.  Runs in the page. */
const faults = () => {
  const out = [], d = document;
  const all = [...d.querySelectorAll('*')];
  all.filter(e => e.getAttribute('style')).forEach(e => out.push(`style= at ${e.outerHTML.slice(0, 80)}`));
  all.filter(e => [...e.attributes].some(a => /^on/.test(a.name))).forEach(e => out.push(`on…= at ${e.outerHTML.slice(0, 80)}`));
  if (d.querySelector('style')) out.push('a style element');
  [...d.scripts].filter(s => !s.src).forEach(() => out.push('a script in the page'));
  if (d.querySelectorAll('h1').length !== 1) out.push(`${d.querySelectorAll('h1').length} h1`);
  if (!d.documentElement.lang) out.push('no language');
  if (!/\S · \S/.test(d.title)) out.push(`title ${d.title}`);
  if (d.documentElement.scrollWidth > d.documentElement.clientWidth) {
    const wide = all.filter(e => e.getBoundingClientRect().right > d.documentElement.clientWidth + 1).slice(0, 3);
    out.push(`scrolls sideways: ${d.documentElement.scrollWidth} > ${d.documentElement.clientWidth}: `
      + wide.map(e => e.outerHTML.slice(0, 90)).join(' / '));
  }
  const words = d.body.innerText;
  if (/\{\{|\}\}|\bundefined\b|\bNaN\b|\[\w+\]|[a-z_]+\.[a-z_]+\.[a-z_]+/.test(words.replace(/\S+@\S+|[\w-]+\.\w{2,4}\b/g, ''))) {
    out.push(`unfilled words: ${words.match(/.{0,20}(\{\{|\}\}|\bundefined\b|\bNaN\b|\[\w+\]|[a-z_]+\.[a-z_]+\.[a-z_]+).{0,20}/)?.[0]}`);
  }
  return out;
};

export const axed = new Map();
export let axeTime = 0;

async function axe(page, name, scheme, only) {
  const begun = Date.now();
  const builder = new AxeBuilder({ page }).setLegacyMode(true)
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa']);
  if (only) builder.include(only);
  const r = await builder.analyze();
  axeTime += Date.now() - begun;
  ok(r.violations.length === 0, `${name}: axe, ${scheme}`, r.violations.map(v =>
    `${v.id}: ${v.help}\n` + v.nodes.slice(0, 4).map(n => `  ${n.target}: ${n.html.slice(0, 160)}\n  ${(n.failureSummary || '').replace(/\s+/g, ' ')}`).join('\n')).join('\n'));
}

/* Scrolls so that no link or button is half behind a bar: half of it would be
   too small a target, which a reader mends with a finger. */
const settle = () => {
  const bars = [...document.querySelectorAll('.top, .tabbar')].map(b => b.getBoundingClientRect()).filter(r => r.height);
  const half = () => [...document.querySelectorAll('main a, main button, main input, main select, .foot a')].some(e => {
    const r = e.getBoundingClientRect();
    return r.height && bars.some(b => r.top < b.bottom && r.bottom > b.top && !(r.top >= b.top && r.bottom <= b.bottom));
  });
  for (let y = 0; y < 400 && half(); y += 4) scrollTo(0, y);
};

class Visitor {
  static async make(o) {
    const v = new Visitor();
    v.o = o;
    v.faults = [];
    v.expected = new Set();
    v.context = await browser.newContext({
      viewport: SIZES[o.size] ?? o.size,
      hasTouch: o.size === 'phone', isMobile: o.size === 'phone',
      colorScheme: o.scheme ?? 'light',
      locale: o.locale ?? 'fr-FR',
      javaScriptEnabled: o.js ?? true,
      reducedMotion: o.motion ?? 'reduce',
      timezoneId: 'Europe/Paris',
      ignoreHTTPSErrors: true,
      acceptDownloads: true,
      proxy: o.proxy,
    });
    v.context.setDefaultTimeout(15000);
    v.context.on('page', p => v.watch(p));
    if (o.js !== false) {
      await v.context.addInitScript(() => document.addEventListener('securitypolicyviolation', e =>
        console.error(`CSP violation: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`)));
    }
    if (o.as) await v.become(o.as);
    v.page = await v.context.newPage();
    return v;
  }

  async become(person) {
    await this.context.addCookies([{ name: facts.cookie, value: await call('session', person), url: facts.origin,
      httpOnly: true, sameSite: 'Lax', secure: facts.origin.startsWith('https') }]);
  }

  watch(page) {
    page.on('console', m => {
      if (m.type() !== 'error') return;
      const status = m.text().match(/Failed to load resource: the server responded with a status of (\d+)/)?.[1];
      if (status && this.expected.has(Number(status))) return;
      if (/Failed to load resource: net::/.test(m.text()) && this.expected.has('net')) return;
      this.faults.push(`console: ${m.text()} (${m.location().url})`);
    });
    page.on('pageerror', e => this.faults.push(`script: ${e.stack}`));
    page.on('request', r => {
      const url = new URL(r.url());
      if (url.protocol.startsWith('http') && url.origin !== facts.origin) this.faults.push(`request to ${r.url()}`);
    });
    page.on('dialog', d => d.accept().catch(() => {}));
  }

  expect(...statuses) { statuses.forEach(s => this.expected.add(s)); return this; }

  url(to) { return /^https?:/.test(to) ? to : to.startsWith('/') ? facts.origin + to : facts.origin + facts.mount + to; }

  async go(to, page = this.page) { return page.goto(this.url(to)); }

  /* A page from the browser's memory does not load. */
  async back(page = this.page, way = 'goBack') {
    await page[way]({ waitUntil: 'commit' });
    await until('the page', () => page.evaluate(() => document.readyState === 'complete'));
  }

  async tab(to) {
    const page = await this.context.newPage();
    if (to !== undefined) await this.go(to, page);
    return page;
  }

  async visitor(o = {}) { return this.scene.visitor({ size: this.o.size, ...o }); }

  /* Address below the mount. */
  at(page = this.page) {
    const url = new URL(page.url());
    return url.pathname.replace(facts.mount, '') + url.search;
  }

  async h1(page = this.page) { return (await page.locator('h1').first().innerText()).replace(/\u00a0|\u202f/g, ' '); }

  async title(page = this.page) { return (await page.title()).replace(/\u00a0|\u202f/g, ' '); }

  async text(selector = 'main', page = this.page) {
    return (await page.locator(selector).first().innerText()).replace(/\u00a0|\u202f/g, ' ');
  }

  /* A state of a page: in light and in dark.  What is seen at both sizes is
     looked at dark on the phone and light on the desk, unless all is asked.
     What is behind an open menu is not looked at: only => '.menu'. */
  async check(name, { page = this.page, only } = {}) {
    const found = await page.evaluate(faults);
    is(found.join('\n'), '', `${name}: form`);
    const { size, o } = this.scene;
    const schemes = facts.all || o.sizes?.length === 1 ? ['light', 'dark'] : [size === 'phone' ? 'dark' : 'light'];
    const key = `${name} ${size} ${this.o.locale ?? ''}`;
    if (axed.has(key)) return;
    axed.set(key, true);
    await page.evaluate(settle);
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      await axe(page, name, colorScheme, only);
      if (facts.screenshots) await this.shoot(page, `${name}.${this.scene.size}.${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: this.o.scheme ?? 'light' });
  }

  async shoot(page, name) {
    fs.mkdirSync(facts.screenshots, { recursive: true });
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ fullPage: true, animations: 'disabled',
      path: path.join(facts.screenshots, `${name}.${this.o.locale?.slice(0, 2) ?? 'fr'}.png`) });
  }

  async close() {
    await this.context.close();
    is([...new Set(this.faults)].join('\n'), '', 'nothing in the console, nothing from elsewhere');
  }
}

export async function visit(o) { const v = await Visitor.make(o); v.scene = { size: o.size, o, visitor: visit }; return v; }

/* Scenarios. */

const took = [];

export async function scenario(name, o, play) {
  if (facts.only && !name.includes(facts.only)) return;

  for (const size of o.sizes ?? ['phone', 'desk']) {
    const begun = Date.now(), all = [];
    const scene = { size, o, visitor: async more => {
      const v = await Visitor.make({ ...o, as: undefined, size, ...more });
      v.scene = scene;
      all.push(v);
      return v;
    } };
    where = `${name}, ${size}: `;
    let timer;

    try {
      await Promise.race([
        (async () => play(await scene.visitor({ as: o.as })))(),
        new Promise((_, no) => { timer = setTimeout(() => no(new Error('takes too long')), o.limit ?? 60000); }),
      ]);
    } catch (e) {
      ok(false, 'played to its end', e.stack);
      for (const v of all) {
        for (const p of v.context.pages()) tell({ diag: `page: ${p.url()}` });
        const shot = path.join(facts.dir, `${name}-${size}.png`.replace(/[^\w.-]+/g, '-'));
        await v.page?.screenshot({ path: shot }).catch(() => {});
      }
    } finally {
      clearTimeout(timer);
    }

    for (const v of all) await v.close().catch(e => ok(false, 'closed', e.stack));
    took.push(`${((Date.now() - begun) / 1000).toFixed(1)} s  ${name}, ${size}`);
    where = '';
  }
}

export async function finish() {
  await browser.close();
  took.push(`${(axeTime / 1000).toFixed(1)} s of axe, ${axed.size} states of pages`);
  took.forEach(t => note(t));
  wire.end(JSON.stringify({ end: true }) + '\n', () => process.exit(0));
}

/* Files to send. */

export function file(name, bytes) {
  const to = path.join(facts.dir, 'up');
  fs.mkdirSync(to, { recursive: true });
  fs.writeFileSync(path.join(to, name), bytes);
  return path.join(to, name);
}

export const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/* A PDF of about so many bytes; other content for another mark. */
export function pdf(mark, bytes = 600) {
  const head = '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n'
    + '3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\n';
  const tail = 'trailer<</Root 1 0 R>>\n%%EOF\n';
  return Buffer.from(`${head}% ${mark} ${'x'.repeat(Math.max(0, bytes - head.length - tail.length))}\n${tail}`);
}
