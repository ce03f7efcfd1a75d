import { scenario, finish, is, ok, like, unlike, until, call, facts, file, pdf } from './lib/suite.mjs';

const C = 'c/boulangerie-aubert/';
const o = { as: 'sophie' };
const submit = (page, what) => Promise.all([page.waitForNavigation(), what]);
const csrf = page => page.evaluate(() => document.querySelectorAll('[name=csrf]').forEach(i => { i.value = 'x'; }));

async function page_of(v, status, title, actions) {
  const text = await v.text();
  is(await v.h1(), title, `${status}: heading`);
  like(await v.title(), new RegExp(`^(Erreur : )?${title}`), `${status}: title`);
  like(text, new RegExp(`Erreur ${status}, réf\\. [0-9a-f]{32}`), `${status}: number and reference`);
  like(text, /02 61 91 04 12/, `${status}: somebody to call`);
  for (const a of actions) ok(await v.page.locator('main').getByRole(/^(Revenir en|Chercher|Copier)/.test(a) ? 'button' : 'link', { name: a }).isVisible(), `${status}: ${a}`);
  await v.check(String(status));
}

await scenario('of a request', o, async v => {
  const { page } = v;
  v.expect(400, 403, 404, 405, 413, 422);

  await v.go(C + 'documents?year=abc');
  await page_of(v, 400, 'Cette demande est arrivée abîmée', ['Revenir à l’accueil']);
  await page.getByRole('link', { name: 'Revenir à l’accueil' }).click();
  await page.waitForURL('**/clients');
  ok(true, '400: and home');

  await v.go(C + 'documents');
  await csrf(page);
  await page.locator('.top details.menu summary').click();
  await submit(page, page.locator('[name=theme][value=dark]').click());
  await page_of(v, 403, 'Vous n’avez pas ce droit', ['Revenir à l’accueil', 'Revenir en arrière']);
  await page.getByRole('button', { name: 'Revenir en arrière' }).click();
  await until('back', () => /documents$/.test(page.url()));
  is(await page.locator('html').getAttribute('data-theme'), 'auto', '403: nothing has changed');

  await v.go(C + 'documents/00000000-0000-4000-8000-000000000000');
  await page_of(v, 404, 'Cette page n’existe pas, ou plus', ['Revenir à l’accueil', 'Chercher']);
  await v.go('sign-out');
  await page_of(v, 405, 'Cette page ne s’ouvre pas ainsi', ['Revenir à l’accueil']);
  is(await call('sql', 'select count(*)::text from portal.session where person_id = ?', facts.people.sophie.id) > 0, true, '405: still signed in');

  await v.go(C + 'documents');
  await page.evaluate(() => {
    const f = document.querySelector('form[data-upload]');
    f.replaceWith(f.cloneNode(true));
  });
  await page.setInputFiles('#file', file('gros.pdf', pdf('gros', 3e6)));
  await submit(page, page.evaluate(() => document.querySelector('form[data-upload]').submit()));
  await page_of(v, 413, 'Cet envoi est trop lourd', ['Choisir un autre fichier', 'Revenir à l’accueil']);

  await v.go(C + 'documents');
  await page.evaluate(() => { document.querySelector('[name=theme][value=dark]').value = 'rose'; });
  await page.locator('.top details.menu summary').click();
  await submit(page, page.locator('[name=theme][value=rose]').click());
  await page_of(v, 422, 'Un point à corriger', ['Revenir à l’accueil', 'Revenir en arrière']);
  ok(await page.locator('.errsum').evaluate(e => e === document.activeElement), '422: focus is on the summary');
  like(await v.title(), /^Erreur : /, '422: the title begins so');
});

await scenario('of an expired session', o, async v => {
  const { page } = v;
  v.expect(401);
  await v.go(C + 'documents');
  await page.locator('.top details.menu summary').click();
  await call('expire', 'sophie');
  await new Promise(r => setTimeout(r, 1200));
  await submit(page, page.locator('[name=theme][value=dark]').click());
  is(await v.h1(), 'Votre session a expiré', 'heading');
  await v.check('401');
  await submit(page, page.getByRole('link', { name: 'Me reconnecter' }).click());
  like(v.at(), /^sign-in\?next=/, 'leads to the sign-in');
});

await scenario('of a stranger', {}, async v => {
  const { page } = v;
  v.expect(403, 404);
  await v.go('nowhere');
  is(await v.h1(), 'Cette page n’existe pas, ou plus', '404');
  await v.check('404 of a stranger');
  await v.go('sign-in');
  await csrf(page);
  await page.fill('#email', 'a@b.example');
  await page.fill('#password', 'x');
  await submit(page, page.press('#password', 'Enter'));
  await page_of(v, 403, 'Cette page n’est plus valable', ['Se connecter']);
});

await scenario('of a database that is away', { ...o, sizes: ['phone'] }, async v => {
  const { page } = v;
  v.expect(503);
  await v.go(C + 'documents');
  await call('pause');
  try {
    await v.go(C + 'documents?q=tva');
    await page_of(v, 503, 'L’espace fait une courte pause', ['Réessayer', 'Aller sur le site']);
  } finally {
    await call('go_on');
  }
  await submit(page, page.getByRole('link', { name: 'Réessayer' }).click());
  unlike(await v.h1(), /pause/, '503: tried again, it works');
});

await scenario('of too many attempts', { sizes: ['desk'] }, async v => {
  const { page } = v;
  v.expect(401, 429);
  await v.go('sign-in');
  const token = await page.inputValue('main [name=csrf]');
  await Promise.all(Array.from({ length: 20 }, (_, i) => v.context.request.post(v.url('sign-in'),
    { form: { csrf: token, email: `x${i}@y.example`, password: 'x' }, headers: { Origin: facts.origin } })));
  await page.fill('#email', facts.people.karim.email);
  await page.fill('#password', facts.password);
  await submit(page, page.press('#password', 'Enter'));
  await page_of(v, 429, 'Un instant, s’il vous plaît', ['Réessayer']);
  like(await v.text(), /Réessayez dans (une|\d+) minutes?/, '429: when it goes on');
});

await finish();
