import { scenario, finish, is, ok, like, unlike, until, call, facts } from './lib/suite.mjs';

const people = facts.people;

await scenario('sign in', {}, async v => {
  const { page } = v;
  await v.go('');
  is(v.at(), 'sign-in', 'the first page asks who one is');
  await v.check('sign-in');
});
await finish();
