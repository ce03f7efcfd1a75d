import net from 'node:net';
import { scenario, finish, is, ok, like, unlike, until, call, facts, file, pdf, PNG } from './lib/suite.mjs';

const C = 'c/boulangerie-aubert/';
const o = { as: 'sophie' };
const count = async () => Number(await call('sql', "select count(*) from portal.document where deposited and live"));
const row = (page, name) => page.locator('[data-uploads] > li', { hasText: name });
const said = async r => (await r.innerText()).replace(/[\u00a0\u202f]/g, ' ').replace(/\s+/g, ' ').trim();
const done = (page, n) => until(`${n} are sent`, async () => await page.locator('[data-ok]:visible').count() === n, 15000);
let serial = 0;
const fresh = (name, size) => file(name, pdf(`${name} ${Date.now()} ${serial++}`, size));

/* Bytes a second upwards; 0: as fast as it goes. */
const sessions = new WeakMap();
async function slow(page, rate) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  const cdp = sessions.get(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: rate || -1 });
}

/* A line to the server that can be cut: to the browser it is a proxy. */
async function between() {
  const all = new Set();
  let cut = false;
  const server = net.createServer(near => {
    if (cut) { near.resetAndDestroy(); return; }
    const far = net.connect(new URL(facts.origin).port, '127.0.0.1');
    for (const [a, b] of [[near, far], [far, near]]) {
      all.add(a);
      a.pipe(b);
      a.on('error', () => b.destroy());
      a.on('close', () => { all.delete(a); b.destroy(); });
    }
  });
  await new Promise(f => server.listen(0, '127.0.0.1', f));
  return {
    address: `http://127.0.0.1:${server.address().port}`,
    cut(on) { cut = on; if (on) all.forEach(s => s.destroy()); },
    end() { server.close(); all.forEach(s => s.destroy()); },
  };
}

async function open(v) {
  const posts = [];
  v.page.on('request', r => { if (r.method() === 'POST') posts.push(r.url()); });
  await v.go(C + 'documents');
  return posts;
}

await scenario('by choosing', o, async v => {
  const { page } = v;
  const before = await count();
  const posts = await open(v);
  ok(!await page.locator('#deposit [type=submit]').isVisible(), 'no button: choosing sends');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('#file').click()]);
  ok(chooser.isMultiple(), 'several may be chosen');
  const names = ['relevé d’octobre.pdf', 'photo du four.png', 'caisse.csv'].map(n => `${v.o.size} ${n}`);
  await chooser.setFiles([fresh(names[0], 300000), file(names[1], Buffer.concat([PNG, Buffer.from(v.o.size)])), file(names[2], `date;montant\n${v.o.size};1\n`)]);
  await done(page, 3);
  is([posts.length, await count()], [3, before + 3], 'three are sent and kept');
  like(await v.text('.toasts'), /est bien arrivé/, 'said');
  is(await page.locator('.toasts').getAttribute('role'), 'status', 'aloud');
  like(await said(row(page, names[0])), /300 Ko Envoyé/, 'with their size');
  is(await page.locator('[data-uploads] .fi use').evaluateAll(l => l.map(u => u.getAttribute('href').split('#')[1])), ['f-pdf', 'f-img', 'f-csv'], 'and their kind');
  await v.check('deposited');

  await row(page, names[0]).getByRole('link', { name: 'Ouvrir' }).click();
  await page.waitForURL(/documents\/[0-9a-f-]{36}$/);
  like(await v.text('.head'), /Déposé par Sophie Aubert, aujourd’hui/, 'its page');
  like(await v.text('.kv'), new RegExp(names[0]), 'with its name');
  await v.back();
  await v.go(C + 'documents');
  for (const n of names) like(await v.text('#docs'), new RegExp(n.replace(/\.\w+$/, '')), `in the list: ${n}`);

  await page.setInputFiles('#file', fresh('un de plus.pdf'));
  await done(page, 1);
  await page.getByRole('link', { name: 'Voir dans la liste' }).click();
  await page.waitForLoadState();
  like(await v.text('#docs [data-group]'), /un de plus/, 'it is in the list');
});

await scenario('by dropping', { ...o, sizes: ['desk'] }, async v => {
  const { page } = v;
  const before = await count();
  await open(v);
  const files = [['Reçu été.pdf', pdf('dropped').toString('latin1'), 'application/pdf'], ['note.txt', 'Bonjour', 'text/plain'], ['programme.exe', 'MZ', 'application/x-msdownload']];
  const data = await page.evaluateHandle(list => {
    const t = new DataTransfer();
    list.forEach(([name, text, type]) => t.items.add(new File([text], name, { type })));
    return t;
  }, files);
  const zone = page.locator('#deposit .drop');
  await zone.dispatchEvent('dragenter', { dataTransfer: data });
  like(await zone.getAttribute('class'), /is-over/, 'the zone answers');
  await zone.dispatchEvent('dragover', { dataTransfer: data });
  await zone.dispatchEvent('drop', { dataTransfer: data });
  unlike(await zone.getAttribute('class'), /is-over/, 'and is calm again');
  await done(page, 2);
  is(await count(), before + 2, 'two are kept');
  like(await said(row(page, 'programme.exe')), /Format non accepté/, 'the third is refused');

  const address = page.url();
  const stays = await page.evaluate(d => {
    const e = new DragEvent('drop', { dataTransfer: d, bubbles: true, cancelable: true });
    return !document.querySelector('h1').dispatchEvent(e);
  }, data);
  ok(stays && page.url() === address, 'dropped beside the zone: nothing happens');
});

await scenario('refused', o, async v => {
  const { page } = v;
  v.expect(415, 422, 507);
  const before = await count();
  const posts = await open(v);
  await page.setInputFiles('#file', [file('virus.exe', 'MZ'), file('vide.pdf', ''), fresh('gros.pdf', 2.2 * 1024 * 1024), file('sans extension', 'x')]);
  is(await page.locator('[data-fail]:visible').count(), 4, 'at once');
  like(await said(row(page, 'virus.exe')), /Format non accepté\. Exportez-le en PDF/, 'type');
  like(await said(row(page, 'vide.pdf')), /Ce fichier est vide/, 'empty');
  like(await said(row(page, 'gros.pdf')), /trop lourd : 2,3 Mo, pour 2,1 Mo au plus/, 'too large');
  is(posts.length, 0, 'before anything leaves');
  await v.check('deposits refused');

  await page.getByRole('button', { name: 'Retirer virus.exe' }).click();
  is(await page.locator('[data-uploads] > li').count(), 3, 'one is taken away');
  like(await page.evaluate(() => document.activeElement.innerText), /Retirer vide\.pdf/, 'focus goes to the next');
  for (const n of ['sans extension', 'gros.pdf', 'vide.pdf']) await page.getByRole('button', { name: `Retirer ${n}` }).click();
  is(await page.evaluate(() => document.activeElement.id), 'file', 'and at last to the zone');
  ok(!await page.locator('[data-uploads]').isVisible(), 'the list is gone');

  await page.setInputFiles('#file', file('faux.pdf', 'MZ\x90\x00\x03 not a PDF'));
  await until('the server refuses', () => row(page, 'faux.pdf').locator('[data-fail]:visible').count());
  like(await said(row(page, 'faux.pdf')), /Format non accepté/, 'a wrong content by the server');
  is(await row(page, 'faux.pdf').locator('[data-retry]:visible').count(), 0, 'which need not be tried again');

  await call('sql', "update portal.client set quota_files = used_files where slug = 'boulangerie-aubert' returning 1");
  await page.setInputFiles('#file', fresh('de trop.pdf'));
  await until('the quota refuses', () => row(page, 'de trop.pdf').locator('[data-fail]:visible').count());
  like(await said(row(page, 'de trop.pdf')), /plus assez de place/, 'no room');
  await call('sql', "update portal.client set quota_files = 10000 where slug = 'boulangerie-aubert' returning 1");
  is(await count(), before, 'nothing is kept');
});

await scenario('too many', { ...o, sizes: ['desk'] }, async v => {
  const { page } = v;
  await page.addInitScript(() => {
    const send = XMLHttpRequest.prototype.send;
    let running = 0;
    window.most = 0;
    XMLHttpRequest.prototype.send = function (body) {
      window.most = Math.max(window.most, ++running);
      ['load', 'error', 'abort'].forEach(t => this.addEventListener(t, () => running--));
      return send.call(this, body);
    };
  });
  await open(v);
  await page.setInputFiles('#file', Array.from({ length: 21 }, (_, i) => fresh(`lot ${i + 1}.pdf`)));
  like(await said(row(page, 'lot 21.pdf')), /20 fichiers au plus à la fois/, 'the 21st waits for its turn');
  await done(page, 20);
  is(await page.evaluate(() => window.most), 2, 'two travel at a time');
});

await scenario('cancel', o, async v => {
  const { page } = v;
  v.expect('net');
  const before = await count();
  await open(v);
  await slow(page, 400 * 1024);
  await page.setInputFiles('#file', [fresh('long.pdf', 1.9e6), fresh('suivant.pdf', 1.9e6), fresh('attente.pdf')]);
  const percent = await until('progress', async () => Number((await row(page, 'long.pdf').locator('[data-state]').innerText()).match(/^(\d+)\s%/)?.[1]) || 0);
  ok(percent > 0 && percent < 100, 'progress is told', percent);
  const bar = row(page, 'long.pdf').locator('progress');
  is(await bar.getAttribute('aria-label'), 'Envoi de long.pdf', 'by a bar with a name');
  ok(await bar.evaluate(b => b.value > 0 && b.value < 100), 'that moves');
  like(await said(row(page, 'attente.pdf')), /En attente/, 'the third waits');
  await v.check('depositing');
  await page.getByRole('button', { name: 'Annuler l’envoi de attente.pdf' }).click();
  await page.getByRole('button', { name: 'Annuler l’envoi de long.pdf' }).click();
  is(await page.locator('[data-uploads] > li').count(), 1, 'both are gone');
  await slow(page, 0);
  await done(page, 1);
  is(await count(), before + 1, 'only the other one is kept');
});

await scenario('a cut connection', o, async first => {
  const relay = await between();
  const v = await first.visitor({ as: 'sophie', proxy: { server: relay.address, bypass: '<-loopback>' } });
  const { page } = v;
  v.expect('net', 503);
  const before = await count();
  await open(v);
  await slow(page, 300 * 1024);
  await page.setInputFiles('#file', fresh('coupé.pdf', 1.5e6));
  await until('progress', async () => /^[1-9]/.test(await row(page, 'coupé.pdf').locator('[data-state]').innerText()));
  relay.cut(true);
  const r = row(page, 'coupé.pdf');
  await until('the failure', () => r.locator('[data-fail]:visible').count());
  like(await said(r), /La connexion a été coupée\. Réessayez\./, 'says so');
  is(await r.locator('[data-fail]').getAttribute('role'), 'alert', 'aloud');
  await v.check('deposit cut');
  relay.cut(false);
  await slow(page, 0);
  await r.getByRole('button', { name: 'Réessayer coupé.pdf' }).click();
  await done(page, 1);
  is(await count(), before + 1, 'and once more: kept once');

  await call('pause');
  try {
    await page.setInputFiles('#file', fresh('panne.pdf'));
    await until('503', () => row(page, 'panne.pdf').locator('[data-fail]:visible').count(), 15000);
  } finally {
    await call('go_on');
  }
  like(await said(row(page, 'panne.pdf')), /ne répond pas pour le moment/, 'the database is away');
  await row(page, 'panne.pdf').getByRole('button', { name: /Réessayer/ }).click();
  await done(page, 2);
  is(await count(), before + 2, 'and is back');
  relay.end();
});

await scenario('an expired session', { ...o, sizes: ['phone'] }, async v => {
  const { page } = v;
  v.expect(401);
  await open(v);
  await call('expire', 'sophie');
  await new Promise(r => setTimeout(r, 1200));
  await page.setInputFiles('#file', [1, 2, 3, 4].map(i => fresh(`trop tard ${i}.pdf`)));
  await until('all are refused', async () => await page.locator('[data-fail]:visible').count() === 4);
  like(await said(row(page, 'trop tard 4.pdf')), /Votre session a expiré\. Reconnectez-vous/, 'also those that had not left');
  await v.check('deposit, session expired');
  await page.locator('[data-sign]:visible').first().click();
  await page.waitForURL(/sign-in\?next=/);
  await page.fill('#email', facts.people.sophie.email);
  await page.fill('#password', facts.password);
  await Promise.all([page.waitForNavigation(), page.press('#password', 'Enter')]);
  is(v.at(), C + 'documents', 'and back to the list');
});

await finish();
