import crypto from 'node:crypto';
import fs from 'node:fs';
import { scenario, finish, is, ok, like, unlike, until, call, facts, note } from './lib/suite.mjs';

const C = 'c/boulangerie-aubert/';
const o = { as: 'sophie' };
const find = (title, columns = 'd.id::text') => call('sql', `select ${columns} from portal.document d join portal.client c on c.id = d.client_id
  where c.slug = 'boulangerie-aubert' and d.title like ? and d.live order by d.date desc limit 1`, title);
const rows = page => page.locator('#docs [data-item]:visible');
const titles = async page => (await rows(page).locator('.row__t').allInnerTexts()).map(t => t.replace(/\u00a0|\u202f/g, ' '));

/* Types and asks the server. */
async function ask(page, words) {
  await page.fill('#search', words);
  await Promise.all([page.waitForNavigation(), page.press('#search', 'Enter')]);
}

await scenario('find', o, async v => {
  const { page } = v;
  await v.go(C + 'documents');
  like(await v.text('.logo:visible small'), /Boulangerie Aubert/, 'the page tells whose documents these are');
  is(await v.title(), 'Documents · Boulangerie Aubert · Cabinet Martin', 'and so does its title');
  await v.check('documents');

  await page.locator('#search').pressSequentially('ecritures');
  const filtered = await titles(page);
  ok(filtered.length > 0 && filtered.every(t => /Écritures/.test(t)), 'filters while one types, without accents', filtered);
  is((await v.text('#found')).trim(), `${filtered.length} documents affichés`, 'and says how many');
  is(await page.locator('#docs [data-group]:visible').count(), new Set(await rows(page).evaluateAll(l => l.map(r => r.closest('[data-group]').querySelector('.group').textContent))).size, 'empty months are hidden');

  await page.fill('#search', 'bilan 2024');
  is(await rows(page).count(), 0, 'not on this page');
  ok(await page.locator('#none').isVisible(), 'says so');
  like(await v.text('#found'), /Aucun document affiché/, 'aloud too');
  await v.check('none here');
  await Promise.all([page.waitForNavigation(), page.press('#search', 'Enter')]);
  like(v.at(), /documents\?.*q=bilan\+2024/, 'Enter asks the server');
  ok((await titles(page)).includes('Bilan et liasse fiscale 2024'), 'found', await titles(page));
  like(await v.text('.head'), /\d+ documents? trouvés?/, 'count');
  await v.check('documents found');

  for (const words of ['bilam 2024', 'BILAN  2024', 'bílàn 2024', 'liasse 2024 fiscale', 'bilans 2024']) {
    await ask(page, words);
    ok((await titles(page)).includes('Bilan et liasse fiscale 2024'), `found by "${words}"`, await titles(page));
  }

  await ask(page, 'cheval');
  like(await v.text('#docs'), /Rien pour « cheval »/, 'nothing found');
  await v.check('nothing found');
  await page.getByRole('link', { name: 'Effacer les filtres' }).click();
  await page.waitForURL('**/documents');
  is(await rows(page).count(), 18, 'all again');

  if (v.o.size === 'desk') {
    await page.keyboard.press('/');
    is(await page.evaluate(() => document.activeElement.name), 'q', '"/" goes to the search');
    await page.keyboard.type('urssaf');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    ok((await titles(page)).every(t => /Urssaf/i.test(t)), 'search of the top bar');
    is(await page.inputValue('#search'), 'urssaf', 'fills the other one');
  } else {
    await page.locator('.top a.only-s').click();
    ok(await page.locator('#search').evaluate(e => { const r = e.getBoundingClientRect(); return r.top >= 60 && r.bottom < innerHeight - 60; }), 'the glass leads to the search, clear of the bars');
  }
});

await scenario('filter and sort', o, async v => {
  const { page } = v;
  await v.go(C + 'documents');
  await page.locator('.chip', { hasText: 'Bilans' }).click();
  await page.waitForURL(/category=bilans/);
  const all = await titles(page);
  ok((await rows(page).locator('.row__m').allInnerTexts()).every(t => t.startsWith('Bilans')), 'of one category');
  is(await page.locator('.chip[aria-current]').count(), 1, 'one chip is chosen');
  await Promise.all([page.waitForNavigation(), page.selectOption('#year', '2025')]);
  like(v.at(), /year=2025/, 'the year asks at once');
  like(v.at(), /category=bilans/, 'and keeps the category');
  const some = await titles(page);
  ok(some.length < all.length && some.every(t => all.includes(t)), 'fewer', some);
  await v.check('documents filtered');
  await Promise.all([page.waitForNavigation(), page.locator('.chip').first().click()]);
  is(await page.inputValue('#year'), '2025', 'another category keeps the year');
  await v.back();
  like(page.url(), /category=bilans/, 'back');
  is(await titles(page), some, 'back to what was shown');
  is(await page.inputValue('#year'), '2025', 'with its year');

  if (v.o.size !== 'desk') return;
  await v.go(C + 'documents');
  await Promise.all([page.waitForNavigation(), page.selectOption('#sort', 'name')]);
  const named = await titles(page);
  is(named, [...named].sort((a, b) => a.localeCompare(b, 'fr')), 'by name');
  is(await page.locator('#docs .group').count(), 0, 'without months');
  await Promise.all([page.waitForNavigation(), page.selectOption('#sort', 'unread')]);
  const badges = await rows(page).evaluateAll(l => l.map(r => r.classList.contains('row--new')));
  ok(badges[0] && badges.lastIndexOf(true) < badges.indexOf(false), 'new ones first', badges);
});

await scenario('pages', { ...o, sizes: ['phone'] }, async v => {
  const { page } = v;
  await v.go(C + 'documents');
  const first = await titles(page);
  const ids = [];
  for (let i = 0; i < 20; i++) {
    ids.push(...await rows(page).locator('a.row__t').evaluateAll(l => l.map(a => a.href)));
    const next = page.getByRole('link', { name: 'Documents suivants' });
    if (!await next.count()) break;
    await Promise.all([page.waitForNavigation(), next.click()]);
    if (i === 0) {
      await v.check('next page');
      const second = await titles(page);
      await v.back();
      is(await titles(page), first, 'back to the first page');
      await v.back(page, 'goForward');
      is(await titles(page), second, 'and on to the second');
    }
  }
  const count = await call('sql', "select count(*) from portal.document d join portal.client c on c.id = d.client_id where c.slug = 'boulangerie-aubert' and d.live");
  is([ids.length, new Set(ids).size], [Number(count), Number(count)], 'every document once');
  await page.getByRole('link', { name: 'Revenir au début' }).click();
  await page.waitForURL(/documents\?sort=recent$/);
  is(await titles(page), first, 'the beginning');
});

await scenario('download', o, async v => {
  const { page } = v;
  const sums = JSON.parse(await call('sql', "select json_object_agg(d.id, json_build_array(encode(d.hash, 'hex'), d.name)) from portal.document d"));
  const same = async (download, id, name) => {
    const bytes = fs.readFileSync(await download.path());
    is([crypto.createHash('sha256').update(bytes).digest('hex'), download.suggestedFilename()], sums[id], name);
  };
  await v.go(C + 'documents');
  for (const i of [0, 3, 7]) {
    const link = rows(page).nth(i).locator('a.ib');
    like(await link.innerText(), /Télécharger \S/, 'the link has the title in its name');
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    await same(download, (await link.getAttribute('href')).split('/').at(-2), `row ${i}: bytes and name`);
  }
  const id = await find('Écritures de caisse%');
  await v.go(C + 'documents/' + id);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Télécharger' }).click()]);
  await same(download, id, 'a name with accents: bytes and name');
});

await scenario('read', o, async v => {
  const { page } = v;
  v.expect(404);
  const desk = v.o.size === 'desk';
  await call('sql', 'delete from portal.opening where person_id = ? and opened_at > now() - interval \'10 minutes\' returning 1', facts.people.sophie.id);

  const bilan = await find('Bilan et liasse fiscale 2024');
  const [answer] = await Promise.all([page.waitForResponse(/\/preview/), v.go(C + 'documents/' + bilan)]);
  is(await v.h1(), 'Bilan et liasse fiscale 2024', 'heading');
  is([answer.status(), answer.headers()['content-type']], [200, 'application/pdf'], 'a PDF for the frame');
  const plain = await v.context.request.get(answer.url());
  like(plain.headers()['content-security-policy'], /^sandbox; default-src 'none'/, 'in a sandbox');
  const frame = page.locator('.viewer iframe');
  await frame.scrollIntoViewIfNeeded();
  await until('the PDF is shown', async () => (await frame.screenshot()).length > 6000, 10000);
  ok(true, 'the frame has content');
  await v.check('document, PDF');

  const [popup] = await Promise.all([page.waitForEvent('popup'), page.locator('.head').getByRole('link', { name: /Ouvrir dans un onglet/ }).click()]);
  await popup.waitForLoadState();
  like(popup.url(), /\/preview$/, 'and in a tab');
  is(await popup.evaluate(() => window.opener === null).catch(() => true), true, 'that does not know this one');
  await popup.close();

  await page.locator('.crumbs a').click();
  await page.waitForURL('**/documents');
  const news = await page.locator('.row--new').count();
  const counted = async () => Number((await page.locator(desk ? '.side .count' : '.tabbar .count').first().innerText()).match(/\d+/)[0]);
  is(await counted(), news, 'the count is that of the new ones');
  const title = await page.locator('.row--new .row__t').first().innerText();
  await page.locator('.row--new a.row__t').first().click();
  await page.waitForURL(/documents\/[0-9a-f-]{36}$/);
  await v.back();
  await page.reload();
  is(await page.locator('.row--new').count(), news - 1, 'what was opened is not new any more');
  is(await counted(), news - 1, 'nor counted');
  ok((await titles(page)).includes(title.replace(/\u00a0|\u202f/g, ' ')), 'but there');

  await v.go(C + 'documents/' + await find('Ticket four%'));
  const img = page.locator('.viewer img');
  await until('the image is loaded', () => img.evaluate(i => i.complete && i.naturalWidth > 100));
  is(await img.getAttribute('alt'), await v.page.locator('h1').innerText(), 'an image, with its name');
  await v.check('document, image');

  await v.go(C + 'documents/' + await find('Écritures de caisse%'));
  is(await page.locator('.viewer').count(), 0, 'no preview of a CSV');
  like(await v.text(), /Ce format n’a pas d’aperçu/, 'says so');
  await v.check('document without preview');

  await v.go(C + 'documents/00000000-0000-4000-8000-000000000000');
  is(await v.h1(), 'Cette page n’existe pas, ou plus', 'a document that is not there');
  await page.fill('#q', 'bilan');
  await Promise.all([page.waitForNavigation(), page.press('#q', 'Enter')]);
  like(v.at(), /^(c\/boulangerie-aubert\/documents\?q=bilan|clients)/, 'its search leads on');
});

await scenario('others', { as: 'karim', sizes: ['phone'] }, async v => {
  await v.go('');
  is(v.at(), 'documents', 'one client: no choice');
  is(await v.page.locator('#deposit').count(), 0, 'a reader cannot deposit');
  is(await v.title(), 'Documents · Cabinet Martin', 'one client: no need to name it');
  like(await v.text('.logo:visible small'), /Espace client/, 'nor in the bar');
  const w = await v.visitor({ as: 'claire' });
  await w.go('');
  is(await w.h1(), 'Clients', 'staff choose a client');
  await w.page.fill('#search', '0417');
  is(await w.page.locator('#clients [data-item]:visible').count(), 1, 'by number');
  await w.page.fill('#search', 'zzz');
  await w.check('clients, none');
  await w.page.fill('#search', 'kermad');
  await w.page.locator('#clients a.row__t:visible').click();
  await w.page.waitForURL('**/documents');
  like(await w.text('.logo:visible small'), /Transports Kermadec/, 'the page tells which client it is about');
  is(await w.page.locator('#deposit').count(), 0, 'staff do not deposit');
  await w.check('documents of staff');
});

await scenario('weight', { ...o, sizes: ['desk'] }, async v => {
  const sizes = {};
  v.page.on('response', async r => {
    const kind = r.request().resourceType();
    if (['document', 'stylesheet', 'script'].includes(kind)) { const n = (await r.body()).length; sizes[kind] = (sizes[kind] ?? 0) + n; }
  });
  await v.go(C + 'documents');
  await v.page.waitForLoadState('networkidle');
  const total = Object.values(sizes).reduce((a, b) => a + b, 0);
  note(JSON.stringify(sizes));
  is(Object.keys(sizes).sort(), ['document', 'script', 'stylesheet'], 'counted');
  ok(total < 60 * 1024, 'HTML, CSS and JS are under 60 KB', total);
});

await finish();
