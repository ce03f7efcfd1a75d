import { scenario, finish, is, ok, like, unlike, call, facts } from './lib/suite.mjs';

const { sophie, karim } = facts.people;

export async function sign(v, person, password = facts.password) {
  await v.page.fill('#email', person.email);
  await v.page.fill('#password', password);
  await Promise.all([v.page.waitForNavigation(), v.page.press('#password', 'Enter')]);
}

await scenario('a wrong password', {}, async v => {
  const { page } = v;
  v.expect(401);
  await v.go('');
  is(v.at(), 'sign-in', 'the first page asks who one is');
  is(await v.title(), 'Connexion · Cabinet Martin', 'title');
  unlike(await page.content(), /Aubert|Boulangerie/, 'nothing about anybody');
  await v.check('sign-in');

  await sign(v, sophie, 'four a pain');
  like(await v.title(), /^Erreur : Connexion/, 'title');
  is(await page.inputValue('#email'), sophie.email, 'the address is kept');
  is(await page.inputValue('#password'), '', 'the password is not');
  ok(await page.locator('.errsum').evaluate(e => e === document.activeElement), 'focus is on the summary');
  like(await v.text('.errsum'), /Nous n’avons pas pu vous connecter.*L’adresse ou le mot de passe ne correspond pas/s, 'what is wrong');
  is(await page.getAttribute('#password', 'aria-invalid'), 'true', 'the field says so too');
  await v.check('sign-in refused');
  await page.locator('.errsum a').click();
  is(await page.evaluate(() => document.activeElement.id), 'password', 'its link leads to the field');

  await page.click('[data-reveal]');
  is(await page.getAttribute('#password', 'type'), 'text', 'the password can be shown');
  is(await page.getAttribute('[data-reveal]', 'aria-pressed'), 'true', 'and the button says so');
  await sign(v, sophie);
  is(v.at(), 'clients', 'the right one leads to the choice of a client');
  is(await v.h1(), 'Vos entreprises', 'heading');
  await v.check('clients');

  const cookie = (await v.context.cookies()).find(c => c.name === facts.cookie);
  is([cookie?.httpOnly, cookie?.secure, cookie?.sameSite, cookie?.name.startsWith('__Host-')], [true, true, 'Lax', true], 'cookie');
  await v.go('sign-in');
  unlike(v.at(), /^sign-in/, 'who is signed in is led on');
});

await scenario('a deep link', {}, async v => {
  v.expect(401);
  const deep = 'c/boulangerie-aubert/documents?year=2025&sort=name';
  await v.go(deep);
  like(v.at(), /^sign-in\?next=/, 'asks who one is');
  await sign(v, sophie, 'four a pain');
  await sign(v, sophie);
  is(v.at(), deep, 'survives a refused and an accepted sign-in');
  await v.context.clearCookies();
  await v.go('sign-in?next=' + encodeURIComponent('https://nowhere.example/'));
  await sign(v, karim);
  is(v.at(), 'documents', 'does not lead elsewhere');
});

await scenario('a double click', { sizes: ['desk'] }, async v => {
  const { page } = v;
  let posts = 0;
  page.on('request', r => { if (r.method() === 'POST') posts++; });
  await v.go('sign-in');
  await page.fill('#email', karim.email);
  await page.fill('#password', facts.password);
  let go;
  const gate = new Promise(f => { go = f; });
  await page.route('**/sign-in', async r => { await gate; await r.continue(); });
  const clicks = page.locator('main [type=submit]').dblclick();
  await page.waitForTimeout(500);
  go();
  await clicks;
  await page.waitForURL('**/documents');
  is(posts, 1, 'sends once');
});

await scenario('sign out', {}, async v => {
  const { page } = v;
  await v.go('sign-in');
  await sign(v, karim);
  await page.locator('#docs a.row__t').first().click();
  await page.waitForURL(/documents\/[0-9a-f-]+$/);
  const title = await v.h1();
  await page.locator('.top details.menu summary').click();
  await page.getByRole('button', { name: 'Se déconnecter' }).click();
  await page.waitForURL('**/sign-in');
  like(await v.text(), /la session est fermée sur cet appareil/, 'says so');
  await v.check('signed out');
  is((await v.context.cookies()).filter(c => c.name === facts.cookie).length, 0, 'the cookie is gone');

  for (let i = 0; i < 2; i++) {
    await v.back();
    const text = await page.content();
    ok(!text.includes(title) && !text.includes('Karim'), `${i + 1} pages back: nothing personal`, page.url());
  }
});

await scenario('other devices', {}, async v => {
  v.expect(401);
  await call('expire', 'karim');
  const other = await v.visitor();
  for (const x of [v, other]) { await x.go('sign-in'); await sign(x, karim); }
  await call('sql', `update portal.session set agent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
    where id = (select id from portal.session where person_id = ? order by created_at limit 1) returning 1`, karim.id);
  const { page } = other;
  await other.go('sessions');
  is(await page.locator('main li.row').count(), 2, 'both are listed');
  like(await other.text('main li.row'), /Chrome sur Linux.*Cet appareil/s, 'this one');
  like(await other.text('main li.row >> nth=1'), /Safari sur i(OS|Phone).*Déconnecter/s, 'the other one');
  await other.check('sessions');
  await page.locator('main li.row form button').click();
  await page.waitForLoadState();
  like(await other.text(), /L’appareil est déconnecté/, 'revoked');
  is(await page.locator('main li.row').count(), 1, 'one is left');

  await v.page.locator('#docs a.row__t').first().click();
  await v.page.waitForURL(/sign-in\?next=/);
  like(await v.text(), /Votre session a expiré/, 'the next click of the other asks who one is');
  await v.check('session expired');
  await sign(v, karim);
  like(v.at(), /^documents\/[0-9a-f-]{36}$/, 'and leads where one was going');

  await other.go('sessions');
  await page.getByRole('button', { name: 'Déconnecter les autres' }).click();
  await page.waitForLoadState();
  like(await other.text(), /Les autres appareils sont déconnectés/, 'all others revoked');
  await v.page.reload();
  like(v.at(), /^sign-in/, 'the other is out');

  await sign(v, karim);
  await other.go('sessions');
  await page.getByRole('button', { name: 'Se déconnecter partout' }).click();
  await page.waitForURL('**/sign-in');
  await v.page.reload();
  like(v.at(), /^sign-in/, 'signed out everywhere');
  await other.back();
  unlike(await page.content(), /Chrome sur|Karim/, 'and back shows nothing');
});

await finish();
