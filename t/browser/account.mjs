import { scenario, finish, is, ok, like, unlike, until, call, facts, file, pdf, SIZES } from './lib/suite.mjs';

const A = 'c/boulangerie-aubert/', B = 'c/sci-du-four/';
const o = { as: 'sophie' };
const hrefs = page => page.locator('#docs a.row__t').evaluateAll(l => l.map(a => a.getAttribute('href')));
const menu = page => page.locator('.top details.menu summary').click();
const choose = (page, name) => Promise.all([page.waitForNavigation(), page.getByRole('button', { name }).click()]);
const count = slug => call('sql', 'select count(*)::integer from portal.document d join portal.client c on c.id = d.client_id where c.slug = ? and d.deposited and d.live', slug).then(Number);
const some = (slug, more = 'true') => call('sql', `select d.id::text from portal.document d join portal.client c on c.id = d.client_id where c.slug = ? and d.live and ${more} order by d.date desc limit 1`, slug);

await scenario('two clients in two tabs', o, async v => {
  const a = v.page;
  v.expect(404, 409);
  await v.go(A + 'documents');
  const mine = await hrefs(a);
  ok(mine.every(h => h.includes('/' + A)), 'links of the first name it');
  const b = await v.tab('clients');
  await b.getByRole('link', { name: 'SCI du Four' }).click();
  await b.waitForURL('**/' + B + 'documents');
  const theirs = await hrefs(b);
  ok(theirs.length > 0 && theirs.every(h => h.includes('/' + B)), 'and those of the second that');
  is([await v.title(a), await v.title(b)], ['Documents · Boulangerie Aubert · Cabinet Martin', 'Documents · SCI du Four · Cabinet Martin'], 'the tabs are told apart');
  await v.check('documents of another client', { page: b });

  await a.reload();
  is(await hrefs(a), mine, 'the first tab stays with its client');
  await Promise.all([a.waitForNavigation(), a.selectOption('#year', '2025')]);
  like(a.url(), new RegExp(A), 'and its filters');
  await menu(a);
  like(await v.text('.menu__who', a), /Sophie Aubert\s+Boulangerie Aubert/, 'its menu names it');
  await choose(a, 'Comme mon appareil');
  like(a.url(), new RegExp(A + 'documents\\?.*year=2025'), 'a choice leads back to it');

  const before = [await count('boulangerie-aubert'), await count('sci-du-four')];
  await b.setInputFiles('#file', file('bail.pdf', pdf('bail ' + v.o.size)));
  await b.locator('[data-ok]:visible').waitFor();
  is([await count('boulangerie-aubert'), await count('sci-du-four')], [before[0], before[1] + 1], 'a deposit goes to the client of its tab');

  await v.go(B + 'documents/' + await some('boulangerie-aubert'), b);
  like(b.url(), new RegExp(A + 'documents/'), 'a link of the other own client leads there');
  like(await v.text('main', b), /Vous avez changé d’espace : Boulangerie Aubert\./, 'and says so');
  await v.check('client switched', { page: b });
  await v.go(A + 'documents/' + await some('atelier-nova'), b);
  is(await v.h1(b), 'Cette page n’existe pas, ou plus', 'one of somebody else is not there');
  await v.go('c/atelier-nova/documents', b);
  is(await v.h1(b), 'Cette page n’existe pas, ou plus', 'nor is somebody else’s space');

  /* the form of the first client, sent after the tab has gone to the second */
  const own = await call('sql', `select d.id::text from portal.document d where d.name = 'bail.pdf' and d.live order by d.published_at desc limit 1`);
  await a.bringToFront();
  await v.go(B + 'documents/' + own, a);
  await a.locator('main details summary').click();
  await a.evaluate(([from, to]) => {
    const f = document.querySelector('main details form');
    f.action = f.action.replace(from, to);
  }, [B, A]);
  await Promise.all([a.waitForNavigation(), a.getByRole('button', { name: 'Oui, supprimer' }).click()]);
  is(await v.h1(a), 'La page a changé entre-temps', '409');
  is(Number(await call('sql', 'select count(*) from portal.document where id = ? and live', own)), 1, 'nothing is deleted');
  await v.check('409', { page: a });
  await v.back(a);
  like(a.url(), new RegExp(B), 'and back to the form');
});

await scenario('language', o, async v => {
  const { page } = v;
  await v.go(A + 'documents?category=bilans');
  await menu(page);
  is(await page.locator('[name=locale]').getAttribute('lang'), 'en', 'the other language is told in its own words');
  await choose(page, 'English');
  is(await page.locator('html').getAttribute('lang'), 'en', 'English');
  like(v.at(), /category=bilans/, 'on the same page');
  like(await v.text('.head'), /\d+ documents? found/, 'with its words');
  like(await v.text(), /Your choice is saved\.|has been saved/, 'and says that it is kept');
  unlike(await v.text('body'), /Rechercher|Déposer|Toutes les années/, 'no French left');
  await v.check('documents in English');
  const again = await v.visitor({ as: 'sophie' });
  await again.go(A + 'documents');
  is(await again.page.locator('html').getAttribute('lang'), 'en', 'in the next session too');
  await menu(page);
  await choose(page, 'Français');
  is(await page.locator('html').getAttribute('lang'), 'fr', 'and back');

  const stranger = await v.visitor({ locale: 'en-GB' });
  await stranger.go('sign-in');
  is([await stranger.page.locator('html').getAttribute('lang'), await stranger.title()], ['en', 'Sign in · Cabinet Martin'], 'a stranger gets the language of the browser');
});

const dark = page => page.evaluate(() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
  return r + g + b < 200;
});

await scenario('theme', o, async v => {
  const { page } = v;
  let posts = 0;
  page.on('request', r => { if (r.method() === 'POST') posts++; });
  await v.go(A + 'sessions');
  is(await dark(page), false, 'as the device: light');
  await page.emulateMedia({ colorScheme: 'dark' });
  is(await dark(page), true, 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await menu(page);
  await choose(page, 'Thème sombre');
  is([await page.locator('html').getAttribute('data-theme'), await dark(page)], ['dark', true], 'always dark');
  like(await v.text(), /Votre choix est enregistré\./, 'says so');
  await menu(page);
  is(await page.locator('.menu__pop button').evaluateAll(l => l.filter(b => getComputedStyle(b, '::after').content.includes('✓')).map(b => b.value)), ['dark'], 'the menu marks it');
  await choose(page, 'Thème clair');
  await page.emulateMedia({ colorScheme: 'dark' });
  is([await page.locator('html').getAttribute('data-theme'), await dark(page)], ['light', false], 'always light');
  await menu(page);
  await page.route('**/preferences', async r => { await new Promise(f => setTimeout(f, 500)); await r.continue(); });
  posts = 0;
  await page.getByRole('button', { name: 'Comme mon appareil' }).dblclick();
  await until('auto', async () => await page.locator('html').getAttribute('data-theme').catch(() => '') === 'auto');
  is(posts, 1, 'a double click sends once');
  is(await dark(page), true, 'as the device again');
  await page.emulateMedia({ colorScheme: 'light' });
});

await finish();
