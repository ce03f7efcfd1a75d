import crypto from 'node:crypto';
import fs from 'node:fs';
import { scenario, finish, is, ok, like, unlike, until, call, facts, file, pdf, PNG } from './lib/suite.mjs';

const o = { js: false };
const submit = (page, what) => Promise.all([page.waitForNavigation(), what]);
const titles = async page => (await page.locator('#docs [data-item] .row__t').allInnerTexts()).map(t => t.replace(/[\u00a0\u202f]/g, ' '));

await scenario('without script', o, async v => {
  const { page } = v;
  v.expect(401, 413, 422);
  await v.go('c/boulangerie-aubert/documents');
  await page.fill('#email', facts.people.sophie.email);
  await page.fill('#password', 'non');
  await submit(page, page.press('#password', 'Enter'));
  like(await v.title(), /^Erreur : /, 'a wrong password');
  ok(!await page.locator('[data-reveal]').isVisible(), 'no button that could do nothing');
  await page.fill('#password', facts.password);
  await submit(page, page.locator('main [type=submit]').click());
  is(v.at(), 'c/boulangerie-aubert/documents', 'signed in');

  const search = page.locator('#search');
  await search.fill('bilam 2024');
  await submit(page, search.press('Enter'));
  ok((await titles(page)).includes('Bilan et liasse fiscale 2024'), 'found', await titles(page));
  await page.getByRole('link', { name: 'Effacer les filtres' }).click();
  await page.selectOption('#year', '2025');
  const filter = page.getByRole('button', { name: 'Filtrer' });
  ok(await filter.isVisible(), 'a button where the script would act by itself');
  await submit(page, filter.click());
  like(v.at(), /year=2025/, 'filtered');
  await submit(page, page.locator('.chip', { hasText: 'Bilans' }).click());
  like(v.at(), /category=bilans.*year=2025/, 'by category too');
  is(await titles(page), ['Bilan et liasse fiscale 2024', 'Dossier de gestion 2024, annexes'], 'found');

  const link = page.locator('#docs [data-item]').first().locator('a.ib');
  const id = (await link.getAttribute('href')).split('/').at(-2);
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  is(crypto.createHash('sha256').update(fs.readFileSync(await download.path())).digest('hex'),
    await call('sql', "select encode(hash, 'hex') from portal.document where id = ?", id), 'downloaded');

  await submit(page, page.locator('#docs a.row__t').first().click());
  is(await v.h1(), 'Bilan et liasse fiscale 2024', 'read');
  await submit(page, page.locator('.crumbs a').click());

  const name = `${v.o.size} relevé de compte.pdf`;
  const send = page.locator('#deposit [type=submit]');
  ok(await send.isVisible() && await page.locator('#file').isVisible(), 'a field and a button');
  await page.setInputFiles('#file', file(name, pdf(name)));
  await submit(page, send.click());
  like(await v.text(), /Votre fichier est bien arrivé\./, 'deposited');
  is(await v.h1(), name.replace('.pdf', ''), 'and shown');
  await submit(page, page.locator('.crumbs a').click());
  await page.setInputFiles('#file', [file('a.csv', `a;${v.o.size}`), file('b.png', Buffer.concat([PNG, Buffer.from(name)]))]);
  await submit(page, send.click());
  like(await v.text(), /Vos fichiers sont bien arrivés\./, 'two at once');

  await page.setInputFiles('#file', [file('bon.pdf', pdf('bon')), file('virus.exe', 'MZ')]);
  await submit(page, send.click());
  like(await v.title(), /^Erreur : /, 'one is refused');
  like(await v.text('.errsum'), /Rien n’a été envoyé.*Format non accepté/s, 'so none is kept');
  is(Number(await call('sql', "select count(*) from portal.document where name = 'bon.pdf'")), 0, 'indeed');

  await page.setInputFiles('#file', file('gros.pdf', pdf('gros', 12e6)));
  await submit(page, page.locator('#deposit [type=submit]').click());
  is(await v.h1(), 'Cet envoi est trop lourd', 'too large: a page of ours');
  like(await v.text(), /La limite est de 2,1 Mo/, 'with the limit');
  await submit(page, page.getByRole('link', { name: 'Choisir un autre fichier' }).click());
  like(v.at(), /^(c\/boulangerie-aubert\/documents|clients)$/, 'leads back');
  await v.go('c/boulangerie-aubert/documents');

  await submit(page, page.locator('#docs a.row__t', { hasText: name.replace('.pdf', '') }).first().click());
  await page.locator('main details summary').click();
  await submit(page, page.getByRole('button', { name: 'Oui, supprimer' }).click());
  like(await v.text(), /Le document est supprimé\./, 'deleted');
  unlike(await v.text('#docs'), new RegExp(name.replace('.pdf', '')), 'and gone');

  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('button', { name: 'Thème sombre' }).click());
  is(await page.locator('html').getAttribute('data-theme'), 'dark', 'theme');
  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('button', { name: 'English' }).click());
  is([await page.locator('html').getAttribute('lang'), await v.h1()], ['en', 'Documents'], 'language');
  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('button', { name: 'Français' }).click());
  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('button', { name: 'Comme mon appareil' }).click());

  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('link', { name: 'Changer d’entreprise' }).click());
  ok(!await page.locator('#search').isVisible(), 'no field that could do nothing');
  await submit(page, page.getByRole('link', { name: 'SCI du Four' }).click());
  is(v.at(), 'c/sci-du-four/documents', 'another client');
  await page.locator('.top details.menu summary').click();
  await submit(page, page.getByRole('button', { name: 'Se déconnecter' }).click());
  like(await v.text(), /la session est fermée/, 'signed out');
  await v.go('c/sci-du-four/documents');
  like(v.at(), /^sign-in/, 'indeed');
});

/* The same pages as axe sees them: it needs a browser that runs scripts. */
await scenario('the script does not come', { as: 'sophie' }, async v => {
  v.expect('net', 422);
  await v.context.route(/portal\.\w+\.js/, r => r.abort());
  await v.go('c/boulangerie-aubert/documents');
  await v.check('documents without script');
  ok(!await v.page.locator('[data-uploads]').isVisible(), 'no list of uploads');
  ok(await v.page.locator('#deposit [type=submit]').isVisible(), 'the button to send is there');
  await v.page.setInputFiles('#file', file('virus.exe', 'MZ'));
  await submit(v.page, v.page.locator('#deposit [type=submit]').click());
  await v.check('deposit refused without script');
});

await finish();
