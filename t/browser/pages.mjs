// Every page in every state, in one language; run by Portal::Pages.

import { scenario, finish, is, like, call, facts, file, pdf, PNG, until } from './lib/suite.mjs';

const C = 'c/boulangerie-aubert/';
const one = (title, slug = 'boulangerie-aubert') => call('sql', `select d.id::text from portal.document d join portal.client c on c.id = d.client_id
  where c.slug = ? and d.title like ? and d.live order by d.date desc limit 1`, slug, title);

const lang = facts.lang, locale = { fr: 'fr-FR', en: 'en-GB' }[lang];
await call('sql', 'update portal.person set locale = ? returning 1', lang);
const o = { locale, limit: 180000 };

await scenario(`${lang}: strangers`, o, async v => {
  v.expect(401, 403, 404, 422);
  await v.go('sign-in');
  await v.check('sign-in');
  await v.page.fill('#email', 'nobody@nowhere.example');
  await v.page.fill('#password', 'x');
  await v.page.click('main [type=submit]');
  await v.check('sign-in-refused');
  await v.go('nowhere');
  await v.check('404-stranger');
  await v.go('sign-in');
  await v.page.evaluate(() => { document.querySelector('main [name=csrf]').value = 'old'; });
  await v.page.fill('#email', 'nobody@nowhere.example');
  await v.page.fill('#password', 'x');
  await v.page.click('main [type=submit]');
  await v.check('403-stranger');
});

await scenario(`${lang}: documents`, { ...o, as: 'sophie' }, async v => {
  v.expect(400, 403, 404, 405, 409, 411, 413, 415, 422, 500, 507);
  const { page } = v;
  await v.go('');
  await v.check('clients');
  await v.go(C + 'documents');
  await v.check('documents');
  await page.locator('.top details.menu summary').click();
  await v.check('menu', { only: '.menu' });
  await v.go(C + 'documents?year=2024');
  await page.fill('#search', 'zzz');
  await v.check('documents-none-here');
  await v.go(C + 'documents?category=bilans&year=2025');
  await v.check('documents-filtered');
  await v.go(C + 'documents?q=cheval');
  await v.check('documents-none');
  await v.go(C + 'documents?sort=name');
  await v.check('documents-by-name');
  await page.getByRole('navigation', { name: 'Pagination' }).getByRole('link').last().click();
  await v.check('documents-next-page');
  await v.go(C + 'documents?sort=unread');
  await v.check('documents-unread');

  await v.go(C + 'documents/' + await one('Bilan%2024%'));
  await page.waitForTimeout(1500);
  await v.check('document-pdf');
  const image = await call('sql', `select d.id::text from portal.document d join portal.client c on c.id = d.client_id where c.slug = 'boulangerie-aubert' and d.kind = 'img' and d.live limit 1`);
  await v.go(C + 'documents/' + image);
  await v.check('document-image');
  const other = await call('sql', `select d.id::text from portal.document d join portal.client c on c.id = d.client_id where c.slug = 'boulangerie-aubert' and not d.inline and d.live limit 1`);
  await v.go(C + 'documents/' + other);
  await v.check('document-without-preview');

  await v.go(C + 'documents');
  await page.setInputFiles('#file', [file(`ticket ${lang} ${v.o.size}.png`, Buffer.concat([PNG, Buffer.from(lang + v.o.size)])),
    file('virus.exe', 'MZ'), file('vide.pdf', '')]);
  await until('done', () => page.locator('[data-ok]:visible').count());
  await page.locator('.toast').waitFor({ state: 'detached' });
  await v.check('deposit');
  const mine = await call('sql', `select id::text from portal.document where deposited and accepted_at is null and live order by published_at desc limit 1`);
  await v.go(C + 'documents/' + mine);
  await page.locator('main details summary').click();
  await v.check('document-delete');
  await call('sql', 'update portal.document set accepted_at = now() where id = ?::uuid returning 1', mine);
  await page.locator('main details button').click();
  await v.check('document-delete-refused');
  await v.go(C + 'sessions');
  await v.check('sessions');

  await v.go(C + 'documents?year=abc');
  await v.check('400');
  await v.go(C + 'documents');
  await page.evaluate(() => { document.querySelector('.menu form[action$=preferences] [name=csrf]').value = 'old'; });
  await page.locator('.top details.menu summary').click();
  await page.locator('[name=theme][value=auto]').click();
  await v.check('403');
  await v.go('nowhere');
  await v.check('404');
  await v.go('sign-out');
  await v.check('405');
  await v.go(C + 'documents');
  await page.evaluate(() => {
    const f = document.querySelector('.menu form[action$=preferences]');
    f.querySelector('[name=theme]').value = 'pink';
  });
  await page.locator('.top details.menu summary').click();
  await page.locator('[name=theme][value=pink]').click();
  await v.check('422');
  for (const n of [401, 409, 411, 413, 415, 429, 500, 503, 507]) {
    v.expect(n);
    await v.go('refused/' + n);
    await v.check(String(n));
  }
});

await scenario(`${lang}: without script`, { ...o, as: 'sophie' }, async v => {
  v.expect(422, 'net');
  await v.context.route(/portal\..*js/, r => r.abort());
  await v.go(C + 'documents');
  await v.check('noscript-documents');
  await v.page.setInputFiles('#file', file('virus.exe', 'MZ'));
  await v.page.locator('#deposit [type=submit]').click();
  await v.check('noscript-deposit-refused');
  await v.go(C + 'documents/' + await one('Bilan%2024%'));
  await v.check('noscript-document');
});

await scenario(`${lang}: others`, { ...o, as: 'flora' }, async v => {
  await v.go('');
  await v.check('documents-empty');
  await v.go('sessions');
  await v.check('sessions-one');
  const w = await v.visitor({ as: 'karim' });
  await w.go('documents');
  await w.check('documents-reader');
  const p = await v.visitor({ as: 'paul' });
  await p.go('');
  await p.check('clients-staff');
  await p.page.fill('#search', 'zzz');
  await p.check('clients-none');
  await p.go('c/transports-kermadec/documents');
  await p.check('documents-staff');
});

await scenario(`${lang}: the end of a session`, { ...o, as: 'loic' }, async v => {
  v.expect(401);
  await v.go('documents');
  await call('expire', 'loic');
  await new Promise(r => setTimeout(r, 1200));
  await v.page.locator('.top details.menu summary').click();
  await v.page.locator('[name=theme][value=auto]').click();
  await v.check('session-expired');
  await v.become('loic');
  await v.go('documents');
  await call('expire', 'loic');
  await new Promise(r => setTimeout(r, 1200));
  await v.go('documents');
  await v.check('sign-in-expired');
  await v.become('loic');
  await v.go('documents');
  await v.page.locator('.top details.menu summary').click();
  await v.page.locator('form[action$=sign-out] button').click();
  await v.check('sign-in-signed-out');
});

await finish();
