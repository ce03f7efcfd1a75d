import { scenario, finish, is, ok, like, unlike, until, call, facts, file, visit } from './lib/suite.mjs';

const C = 'c/boulangerie-aubert/';
const active = page => page.evaluate(() => {
  const e = document.activeElement;
  return (e.innerText || e.getAttribute('aria-label') || e.id || e.tagName).replace(/\s+/g, ' ').trim();
});

/* Of the focused element: what is wrong with how it is seen. */
const seen = () => {
  const e = document.activeElement, out = [];
  if (e === document.body) return ['nothing has focus'];
  const name = e.outerHTML.slice(0, 100);
  let r = e.getBoundingClientRect();
  const drawn = s => s && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
  const drop = e.closest('.drop');
  if (drop) r = drop.getBoundingClientRect();
  if (![getComputedStyle(e), getComputedStyle(e, '::after'), drop && getComputedStyle(drop)].some(drawn)) out.push(`no ring: ${name}`);
  if (!r.width || !r.height) out.push(`no size: ${name}`);
  const y = Math.min(r.bottom - 2, Math.max(r.top + 2, (r.top + r.bottom) / 2)), x = Math.min(r.left + 6, r.right - 2);
  if (r.top < 0 || r.left < -1 || (r.bottom > innerHeight && r.height < innerHeight) || (r.right > innerWidth + 1 && !e.closest('.scrollx')) || r.left > innerWidth) {
    out.push(`outside: ${name} ${JSON.stringify(r)}`);
  } else {
    const at = document.elementFromPoint(x, y);
    if (at && at.closest('.top, .tabbar') && !e.closest('.top, .tabbar')) out.push(`behind a bar: ${name}`);
  }
  return out;
};

/* All that Tab reaches, from the start of the page round to its end. */
async function walk(v, name) {
  const { page } = v;
  const all = await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, summary, [tabindex="0"]')]
    .filter(e => !e.disabled && e.checkVisibility({ visibilityProperty: true }) && !(e.closest('details:not([open])') && e.tagName !== 'SUMMARY')).length);
  const wrong = [], names = [];
  let n = 0;
  for (; n < 150; n++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement === document.body || document.activeElement.tagName === 'IFRAME')) break;
    names.push(await active(page));
    wrong.push(...await page.evaluate(seen));
  }
  is(wrong.join('\n'), '', `${name}: focus is always seen`);
  is(n, all, `${name}: Tab reaches all and comes to an end`);
  return names;
}

await scenario('sign in by keyboard', {}, async v => {
  const { page } = v;
  v.expect(401);
  await v.go('sign-in');
  const names = await walk(v, 'sign-in');
  is(names[0], 'Aller au contenu', 'the first is the way to the content');
  is(names.slice(3, 7), ['email', 'password', 'Afficher le mot de passe', 'Se connecter'], 'then the form, in order');
  await v.go('sign-in');
  await page.keyboard.press('Tab');
  ok(await page.locator('.skip').evaluate(e => e.getBoundingClientRect().top >= 0), 'which is seen');
  await page.keyboard.press('Enter');
  is(await page.evaluate(() => document.activeElement.id), 'main', 'and works');
  await page.keyboard.press('Tab');
  await page.keyboard.type(facts.people.karim.email);
  await page.keyboard.press('Tab');
  await page.keyboard.type('non');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  is(await page.evaluate(() => document.activeElement.id), 'password', 'from the summary to the field');
  await page.keyboard.type(facts.password);
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  is(v.at(), 'documents', 'signed in');
});

await scenario('documents by keyboard', { as: 'sophie' }, async v => {
  const { page } = v;
  await v.go(C + 'documents');
  const names = await walk(v, 'documents');
  is(names[0], 'Aller au contenu', 'the first is the way to the content');
  ok(names.filter(n => /^Télécharger /.test(n)).length === 18, 'the downloads are told apart', names);

  const summary = page.locator('.top details.menu summary');
  await summary.focus();
  await page.keyboard.press('Enter');
  ok(await page.locator('.menu__pop').isVisible(), 'Enter opens the menu');
  await page.keyboard.press('Tab');
  is(await active(page), 'Appareils connectés', 'Tab goes into it');
  await page.keyboard.press('Escape');
  ok(!await page.locator('.menu__pop').isVisible(), 'Escape closes it');
  ok(await summary.evaluate(e => e === document.activeElement), 'and focus is back on its button');
  await page.keyboard.press('Space');
  ok(await page.locator('.menu__pop').isVisible(), 'Space opens it');
  await page.locator('main h1').click({ position: { x: 3, y: 3 } });
  ok(!await page.locator('.menu__pop').isVisible(), 'a click beside it closes it');
  await summary.focus();
  await page.keyboard.press('Enter');
  for (let i = 0; i < 12 && await page.evaluate(() => document.activeElement.closest('.menu')); i++) await page.keyboard.press('Tab');
  ok(await page.evaluate(() => document.activeElement.closest('.main')), 'Tab leads out of it');
  ok(!await page.locator('.menu__pop').isVisible(), 'which closes it');

  await v.go(C + 'documents');
  await page.locator('#search').focus();
  await page.keyboard.type('bilan 2024');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.locator('#docs a.row__t').first().focus();
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  like(v.at(), /documents\/[0-9a-f-]{36}$/, 'find and open');
  await v.go(C + 'documents');
  await page.waitForLoadState('load');
  let chosen = false;
  page.once('filechooser', () => { chosen = true; });
  // a busy browser may take the key before it has moved the focus
  for (let i = 0; i < 5 && !chosen; i++) {
    await page.locator('#file').focus();
    await page.keyboard.press('Space');
    await until('a chooser', async () => chosen, 3000).catch(() => {});
  }
  ok(chosen, 'Space chooses files');
});

await scenario('other pages by keyboard', { as: 'sophie', sizes: ['desk'] }, async v => {
  const { page } = v;
  v.expect(404);
  await v.go('clients');
  await walk(v, 'clients');
  await v.go(C + 'sessions');
  await walk(v, 'sessions');
  await v.go('nowhere');
  await walk(v, '404');
  const mine = await call('sql', "select d.id::text from portal.document d join portal.client c on c.id = d.client_id where c.slug = 'boulangerie-aubert' and d.kind = 'img' and d.live limit 1");
  await call('sql', 'update portal.document set accepted_at = null, deposited = true, author_id = ? where id = ? returning 1', facts.people.sophie.id, mine);
  await v.go(C + 'documents/' + mine);
  await walk(v, 'document');
  await page.locator('main details summary').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  is(await active(page), 'Oui, supprimer', 'the last question by keyboard');
});

const PAGES = ['sign-in', 'clients', C + 'documents', C + 'documents?q=cheval', C + 'sessions', 'nowhere'];

await scenario('narrow and large', { sizes: ['desk'], limit: 90000 }, async first => {
  const over = page => page.evaluate(() => {
    const d = document.documentElement, w = d.clientWidth;
    return d.scrollWidth <= w ? '' : `${d.scrollWidth} > ${w}: ` + [...document.querySelectorAll('body *')]
      .filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest('.scrollx')).slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(' / ');
  });
  const doc = C + 'documents/' + await call('sql', "select d.id::text from portal.document d join portal.client c on c.id = d.client_id where c.slug = 'boulangerie-aubert' and d.title like 'Bilan%2024%' limit 1");
  for (const [what, size] of [['320 px', { width: 320, height: 640 }], ['200 %', { width: 640, height: 450 }]]) {
    const v = await first.visitor({ as: 'sophie', size });
    v.expect(404);
    for (const p of [...PAGES, doc]) {
      await v.go(p);
      is(await over(v.page), '', `${what}: ${p} does not scroll sideways`);
    }
    await v.go(C + 'documents');
    await v.page.locator('.top details.menu summary').click();
    ok(await v.page.locator('.menu__pop').evaluate(e => { const r = e.getBoundingClientRect(); return r.left >= 0 && r.right <= innerWidth; }), `${what}: the menu fits`);
  }
  const v = await first.visitor({ as: 'sophie' });
  v.expect(404);
  for (const p of [...PAGES, doc]) {
    await v.go(p);
    await v.page.evaluate(() => {
      const s = new CSSStyleSheet();
      s.replaceSync('html{font-size:200%}');
      document.adoptedStyleSheets = [s];
    });
    is(await over(v.page), '', `letters twice as large: ${p} does not scroll sideways`);
  }
});

await scenario('movement', { as: 'sophie', sizes: ['phone'] }, async v => {
  const moves = page => page.evaluate(() => [...document.querySelectorAll('*')].filter(e => {
    const s = getComputedStyle(e);
    return [s.transitionDuration, s.animationDuration].some(d => d.split(',').some(x => parseFloat(x) > 0)) || s.scrollBehavior === 'smooth';
  }).length);
  await v.go(C + 'documents');
  is(await moves(v.page), 0, 'none for who wants none');
  await v.page.emulateMedia({ reducedMotion: 'no-preference' });
  ok(await moves(v.page) > 0, 'a little for others');
  const small = await v.page.evaluate(() => [...document.querySelectorAll('.btn, .ib, .tabbar a, .chip, .input')].filter(e => {
    const r = e.getBoundingClientRect();
    return r.height && r.height < (e.matches('.chip') ? 36 : 44) - .5;
  }).map(e => e.outerHTML.slice(0, 80) + e.getBoundingClientRect().height));
  is(small.join('\n'), '', 'fingers find buttons of 44 px');

  const high = await v.visitor({ as: 'sophie', size: 'desk' });
  await high.page.emulateMedia({ forcedColors: 'active' });
  await high.go(C + 'documents');
  const icon = await high.page.locator('.ib[download]').first().evaluate(e => {
    const s = getComputedStyle(e, '::before');
    return [s.backgroundColor, getComputedStyle(document.body).backgroundColor];
  });
  ok(icon[0] !== icon[1], 'forced colours: icons are seen', icon);
});

await finish();
