-- Signing in: what the workers can and cannot get out of sign_in_start and
-- sign_in_finish; limits of S-12 to S-14; sessions, devices, rehash.

begin;
\ir setup.psql
select * from no_plan();
\ir seed.psql

create function pg_temp.output(who text) returns bytea language sql as $$ select convert_to('output of ' || who,
    'UTF8') $$;

-- both as the workers call them: each call of its own network and browser unless told
create function pg_temp.start(email text, network text default null, device bytea default null,
    ops integer default 2, mem integer default 65536,
                              out nonce text, out attempt uuid, out salt text, out ops_ integer, out mem_ integer,
                                out retry integer)
language plpgsql as $$
begin
  network := coalesce(network, md5(random()::text));
  perform set_config('role', 'portal_web', true);
  select s.nonce, s.attempt, encode(s.salt, 'hex'), s.ops, s.mem_kib, s.retry into nonce, attempt, salt, ops_, mem_,
      retry
  from portal.sign_in_start(email, network, device, ops, mem, 'start') s;
  perform set_config('role', 'none', true);
end
$$;

create function pg_temp.finish(attempt uuid, email text, output bytea, token text default 'new',
    old text default null, device bytea default null)
returns text
language plpgsql as $$
declare
  s text;
  t bytea := pg_temp.token(token);
  o bytea := pg_temp.token(old);
begin
  perform set_config('role', 'portal_web', true);
  select f.status || case when f.nonce = 'finish' then '' else ' nonce?' end into s
  from portal.sign_in_finish(attempt, email, output, t, o, device, '192.0.2.1', 'Firefox/140', '{1800,900}',
      '{43200,28800}', 'finish') f;
  perform set_config('role', 'none', true);
  return s;
exception when others then
  return sqlstate;
end
$$;

create function pg_temp.rehash(token text, output bytea, new bytea) returns text
language plpgsql as $$
declare
  s text;
begin
  perform set_config('role', 'portal_web', true);
  s := portal.sign_in_rehash(pg_temp.token(token), output, substr(sha256('s'), 1, 16), 3, 65536, new)::text;
  perform set_config('role', 'none', true);
  return s;
end
$$;

create function pg_temp.mail(who text) returns text language sql as $$ select who || '@test.example' $$;
create function pg_temp.sessions(who text) returns bigint language sql as $$
  select count(*) from portal.session where person_id = pg_temp.id(who)
$$;
create function pg_temp.sign_in(who text, token text, device bytea default null,
    old text default null) returns text language sql as $$
  select pg_temp.finish(s.attempt, pg_temp.mail(who), pg_temp.output(who), token, old,
      device) from pg_temp.start(pg_temp.mail(who), null, device) s
$$;
create function pg_temp.blocked(a uuid) returns boolean language sql as $$ select x.blocked from portal.attempt x
    where x.id = a $$;

-- the right way

select is(s.nonce || s.retry, 'start0', 'start answers this call') from pg_temp.start(pg_temp.mail('alice')) s;
select is(s.salt || s.ops_ || ' ' || s.mem_,
          (select encode(salt, 'hex') || ops || ' ' || mem_kib from portal.credential
          where person_id = pg_temp.id('alice')),
          '… with her salt and parameters') from pg_temp.start(pg_temp.mail('alice')) s;
select is(pg_temp.sign_in('alice', 'alice new', pg_temp.token('browser of alice')), 'ok',
          'the right output opens a session');
select is((select x.person_id from portal.session x where token_hash = pg_temp.token('alice new')),
          pg_temp.id('alice'), '… hers');
select is((select format('%s %s %s %s', x.idle, x.absolute_end - now(), x.ip,
          x.agent) from portal.session x where token_hash = pg_temp.token('alice new')),
          '1800 12:00:00 192.0.2.1 Firefox/140', '… with the limits of clients');
select is(pg_temp.sign_in('manager', 'manager new'), 'ok', 'one of the staff');
select is((select format('%s %s', x.idle,
          x.absolute_end - now()) from portal.session x where token_hash = pg_temp.token('manager new')),
          '900 08:00:00',
          '… with the limits of staff');
select is((select count(*) from portal.audit a where a.action = 'sign_in' and a.result = 'ok'
          and a.person_id = pg_temp.id('alice')
             and a.session_id = (select id from portal.session where token_hash = pg_temp.token('alice new'))),
               1::bigint, 'in the audit');

-- no other way: whatever is given instead of the output, whatever the order

create temporary table wrong (what, output) as
select 'nothing', null::bytea union all select 'the empty', '' union all select 'another''s',
    pg_temp.output('bob') union all
select 'the verifier', verifier from portal.credential where person_id = pg_temp.id('alice') union all
select 'the salt', salt from portal.credential where person_id = pg_temp.id('alice') union all
select 'the hash of the verifier', sha256(verifier) from portal.credential
    where person_id = pg_temp.id('alice') union all
select 'one bit less', set_bit(pg_temp.output('alice'), 3, 1 - get_bit(pg_temp.output('alice'), 3)) union all
select 'one byte more', pg_temp.output('alice') || '\x00';

delete from portal.limiter;
select is(pg_temp.finish(s.attempt, pg_temp.mail('alice'), output, 'stolen', null,
          pg_temp.token('browser of alice')), 'refused', 'refused: ' || what)
from wrong, lateral pg_temp.start(pg_temp.mail('alice'), md5(what), pg_temp.token('browser of alice')) s;

delete from portal.limiter;
select is(pg_temp.finish(s.attempt, m, pg_temp.output('alice'), 'stolen'), 'refused',
          format('her attempt, her output, address %s', coalesce(m, 'none')))
from (values (pg_temp.mail('bob')), (null), (''),
    (pg_temp.mail('alicE') || ' x')) v (m), lateral pg_temp.start(pg_temp.mail('alice'), md5(coalesce(m, '?'))) s;

delete from portal.limiter;
select is(pg_temp.finish(s.attempt, pg_temp.mail('bob'), pg_temp.output('bob'), 'stolen'), 'refused',
          'her attempt is not bob''s')
from pg_temp.start(pg_temp.mail('alice')) s;
select is(pg_temp.finish(s.attempt, pg_temp.mail('alice'), pg_temp.output('bob'), 'stolen'), 'refused',
          '… with whichever output')
from pg_temp.start(pg_temp.mail('alice')) s;
select is(pg_temp.finish(gen_random_uuid(), pg_temp.mail('alice'), pg_temp.output('alice'), 'stolen'), 'refused',
          'an attempt that was not started');
select is(pg_temp.finish(null, pg_temp.mail('alice'), pg_temp.output('alice'), 'stolen'), 'refused', 'none');
select is((select count(*) from portal.session where token_hash = pg_temp.token('stolen')), 0::bigint,
          'and no session was opened');

-- once

create temporary table once as select * from pg_temp.start(pg_temp.mail('carol'));
select is(pg_temp.finish(attempt, pg_temp.mail('carol'), '\x00', 'once'), 'refused',
          'an attempt is used up by a wrong output') from once;
select is(pg_temp.finish(attempt, pg_temp.mail('carol'), pg_temp.output('carol'), 'once'), 'refused',
          '… and is not there for the right one') from once;
truncate once;
insert into once select * from pg_temp.start(pg_temp.mail('carol'));
select is(pg_temp.finish(attempt, pg_temp.mail('carol'), pg_temp.output('carol'), 'once'), 'ok', 'nor') from once;
select is(pg_temp.finish(attempt, pg_temp.mail('carol'), pg_temp.output('carol'), 'twice'), 'refused',
          '… after the right one') from once;
truncate once;
insert into once select * from pg_temp.start(pg_temp.mail('carol'));
update portal.attempt set created_at = now() - interval '121 seconds' where id = (select attempt from once);
select is(pg_temp.finish(attempt, pg_temp.mail('carol'), pg_temp.output('carol'), 'late'), 'refused',
          'and not after two minutes') from once;
select is((select count(*) from portal.session where token_hash in (pg_temp.token('late'), pg_temp.token('twice'))),
          0::bigint, '… no session');

-- unknown, disabled, without a password: as everybody else

select is(length(s.salt) || ' ' || s.ops_ || ' ' || s.mem_ || ' ' || s.retry, '32 2 65536 0',
          'unknown: a salt, parameters of new hashes')
from pg_temp.start('nobody-knows@test.example') s;
select is(a.salt, b.salt, 'the false salt is always the same') from pg_temp.start('nobody-knows@test.example') a,
          pg_temp.start(' Nobody-Knows@TEST.example ') b;
select isnt(a.salt, b.salt, '… for one address') from pg_temp.start('nobody-knows@test.example') a,
    pg_temp.start('nobody-knows2@test.example') b;
select is(a.salt, b.salt, 'who has no password has one too') from pg_temp.start(pg_temp.mail('nobody')) a,
          pg_temp.start(pg_temp.mail('nobody')) b;
select is(pg_temp.finish(s.attempt, 'nobody-knows@test.example', '\x00', 'ghost'), 'refused',
          'unknown: refused') from pg_temp.start('nobody-knows@test.example') s;
select is(pg_temp.finish(s.attempt, 'nobody-knows@test.example', null, 'ghost'), 'refused',
          '… without an output') from pg_temp.start('nobody-knows@test.example') s;
select is(pg_temp.sign_in('nobody', 'ghost'), 'refused', 'without a password: refused');
select is(pg_temp.finish(s.attempt, pg_temp.mail('nobody'), null, 'ghost'), 'refused',
          '… without an output') from pg_temp.start(pg_temp.mail('nobody')) s;
select is(pg_temp.sign_in('disabled', 'ghost'), 'refused', 'disabled: refused');
update portal.person set disabled_at = now() where id = pg_temp.id('eve');
select is(pg_temp.finish(s.attempt, pg_temp.mail('eve'), pg_temp.output('eve'), 'ghost'), 'refused',
          'disabled') from pg_temp.start(pg_temp.mail('eve')) s;
update portal.person set disabled_at = null where id = pg_temp.id('eve');
truncate once;
insert into once select * from pg_temp.start(pg_temp.mail('eve'));
update portal.person set disabled_at = now() where id = pg_temp.id('eve');
select is(pg_temp.finish(attempt, pg_temp.mail('eve'), pg_temp.output('eve'), 'ghost'), 'refused',
          '… between start and finish') from once;
select is((select count(*) from portal.session where token_hash = pg_temp.token('ghost')), 0::bigint, '… no session');

-- addresses: ASCII case does not count, nothing else is folded

delete from portal.limiter;
select is(s.attempt is not null and not pg_temp.blocked(s.attempt), x, format('"%s" is carol: %s', m, x))
from (values ('CAROL@Test.Example', true), ('  carol@test.example ', true), ('cárol@test.example', false),
    ('carol@test.example.', false),
             ('carol+x@test.example', false), ('"carol"@test.example', false),
               ('carol@test.exampl' || U&'\FF45', false),
             ('caro' || U&'\2113' || '@test.example', false),
               (U&'\0421' || 'arol@test.example', false)) v (m, x), lateral pg_temp.start(m, md5(m)) s;
insert into portal.person (id, email, email_key, name, kind) values (pg_temp.id('kit'), 'Kit@Test.Example', '',
    'Kit', 'client');
insert into portal.credential select pg_temp.id('kit'), ops, mem_kib, salt,
    verifier from portal.credential where person_id = pg_temp.id('alice');
select is(not pg_temp.blocked(s.attempt), x, format('"%s" is kit: %s', m, x))
from (values ('kit@test.example', true), (U&'\212Ait@test.example', false),
    ('k' || U&'\0131' || 't@test.example', false)) v (m, x), lateral pg_temp.start(m, md5(m)) s;

-- S-12: five are free, then 1, 2, 4, 8, 15 minutes

delete from portal.limiter;
delete from portal.attempt;
select is((select count(*) from generate_series(1, 200) i, lateral pg_temp.start(m,
          md5('x' || i)) s where not pg_temp.blocked(s.attempt) or m like 'un%'),
          n, format('of 200 guesses at once at %s so many are evaluated', m))
from (values (pg_temp.mail('carol'), 5::bigint)) v (m, n);
select is(pg_temp.finish(s.attempt, pg_temp.mail('carol'), pg_temp.output('carol'), 'late'), 'refused',
          'the right one does not get through meanwhile')
from pg_temp.start(pg_temp.mail('carol')) s;
select is((select count(*) from portal.audit where action = 'sign_in' and result = 'refused' and detail = 'blocked'
          and person_id = pg_temp.id('carol')), 1::bigint,
          '… and the audit says why');

create function pg_temp.waits(mail text, device bytea, n integer) returns text language plpgsql as $$
declare
  l portal.limiter;
  s record;
  waits text := '';
begin
  for i in 1 .. n loop
    select * into s from pg_temp.start(mail, md5('w' || i), device);
    if pg_temp.blocked(s.attempt) then
      return waits || ' blocked';
    end if;
    select * into l from portal.limiter order by failures desc, until desc nulls last limit 1;
    waits := waits || ' ' || coalesce(extract(epoch from l.until - now())::integer / 60, 0);
    -- the wait passes
    update portal.limiter set until = until - (l.until - now()) where key = l.key;
  end loop;
  return waits;
end
$$;

delete from portal.limiter;
select is(pg_temp.waits(pg_temp.mail('carol'), null, 30),
          ' 0 0 0 0 1 2 4 8 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 15 blocked',
          'waits grow; 25 are evaluated in a day, even by who waits');
update portal.limiter set since = since - interval '23 hours';
select is(pg_temp.blocked(s.attempt), true,
          '… not before the day is over') from pg_temp.start(pg_temp.mail('carol')) s;
update portal.limiter set since = since - interval '1 hour 1 minute';
select is(pg_temp.blocked(s.attempt), false, '… and then again') from pg_temp.start(pg_temp.mail('carol')) s;
update portal.limiter set failures = 99, until = null, since = now() - interval '30 hours' where failures > 5;
select is(pg_temp.blocked(s.attempt), false,
          'the hundredth in a row is evaluated') from pg_temp.start(pg_temp.mail('carol')) s;
update portal.limiter set until = null where failures >= 100;
select is(pg_temp.blocked(s.attempt), true, 'none any more') from pg_temp.start(pg_temp.mail('carol')) s;
update portal.limiter set since = since - interval '89 days' where failures >= 100;
select is(pg_temp.blocked(s.attempt), true, '… for 90 days') from pg_temp.start(pg_temp.mail('carol')) s;
select is((select count(*) from portal.limiter where failures >= 100), 1::bigint, '… and it is not swept away');
update portal.limiter set since = since - interval '1 day 1 minute' where failures >= 100;
select is(pg_temp.blocked(s.attempt), false, '… and then it is') from pg_temp.start(pg_temp.mail('carol')) s;

-- unknown addresses are counted in the same way
delete from portal.limiter;
do $$ begin perform pg_temp.start('unknown@test.example', md5('u' || i)) from generate_series(1, 9) i; end $$;
select is((select max(failures) || ' ' || (max(until) - now())::text from portal.limiter), '5 00:01:00',
          'an unknown address waits as a known one');

-- a success forgets
delete from portal.limiter;
do $$ begin perform pg_temp.start(pg_temp.mail('carol'), md5('u' || i)) from generate_series(1, 4) i; end $$;
select is(pg_temp.sign_in('carol', 'carol 5'), 'ok', 'the fifth is right');
select is((select count(*) from generate_series(1, 9) i, lateral pg_temp.start(pg_temp.mail('carol'),
          md5('v' || i)) s where not pg_temp.blocked(s.attempt)), 5::bigint,
          '… five are free again');

-- S-13: a browser that she signed in with before has a count of its own

delete from portal.limiter;
do $$ begin perform pg_temp.start(pg_temp.mail('alice'), md5('stranger' || i)) from generate_series(1, 50) i; end $$;
select is(pg_temp.sign_in('alice', 'locked'), 'refused', 'strangers have locked alice out');
select is(pg_temp.sign_in('alice', 'at home', pg_temp.token('browser of alice')), 'ok',
          '… but not of her own browser');
select is(pg_temp.sign_in('alice', 'locked', d), 'refused', '… ' || w)
from (values ('a forged one is none', sha256('forged')),
    ('bob''s is not hers', pg_temp.token('browser of bob'))) v (w, d);
update portal.device set created_at = now() - interval '91 days' where token_hash = pg_temp.token('browser of alice');
select is(pg_temp.sign_in('alice', 'locked', pg_temp.token('browser of alice')), 'refused',
          '… nor hers after 90 days');
update portal.device set created_at = now() where token_hash = pg_temp.token('browser of alice');
delete from portal.limiter;
select is(pg_temp.waits(pg_temp.mail('alice'), pg_temp.token('browser of alice'), 60),
          ' 0 0 0 0 0 0 0 0 0 1 2 4 8' || repeat(' 15', 37) || ' blocked', 'ten are free there, 50 in a day');
select is((select count(*) from generate_series(1, 9) i, lateral pg_temp.start(pg_temp.mail('alice'),
          md5('v' || i)) s where not pg_temp.blocked(s.attempt)), 5::bigint,
          '… and it does not count for others');

-- S-14: forty of a network in ten minutes

delete from portal.limiter;
select is((select count(*) from generate_series(1, 60) i, lateral pg_temp.start('n' || i || '@test.example',
          'one network') s where s.retry = 0), 40::bigint,
          'forty of one network');
select is(s.attempt is null and s.salt is null and s.retry between 1 and 600, true,
          '… then it has to wait, and gets nothing')
from pg_temp.start(pg_temp.mail('alice'), 'one network') s;
select is(s.retry, 0, '… another need not') from pg_temp.start(pg_temp.mail('alice'), 'another') s;
update portal.limiter set since = since - interval '10 minutes 1 second';
select is(s.retry, 0, '… nor this after its time') from pg_temp.start(pg_temp.mail('alice'), 'one network') s;
select is(pg_temp.eval('portal_web', $$ (select retry from portal.sign_in_start('a@test.example', null, null, 2,
    65536, 'n')) $$), '0',
               'a visitor without an address is not counted with the others');
select matches(pg_temp.eval('portal_web', $$ (select attempt from portal.sign_in_start(null, 'n', null, 2, 65536,
    'n')) $$), '^[0-9A-Z]{5}$',
               'no address: no attempt');

-- sessions: a new token each time; ten, the one used longest ago goes

delete from portal.limiter;
delete from portal.session where person_id = pg_temp.id('carol');
insert into portal.session (token_hash, person_id, idle, absolute_end, last_seen)
select pg_temp.token('c' || n), pg_temp.id('carol'), 1800, now() + interval '1 hour',
    now() - n * interval '1 minute' from generate_series(1, 12) n;
select is(pg_temp.sign_in('carol', 'c new'), 'ok', 'an eleventh session');
select is(pg_temp.sessions('carol'), 10::bigint, '… leaves ten');
select is((select count(*) from portal.session where token_hash in (pg_temp.token('c9'), pg_temp.token('c new'))),
          2::bigint, '… the latest');
select is((select count(*) from portal.session where token_hash in (pg_temp.token('c10'), pg_temp.token('c12'))),
          0::bigint, '… without those used longest ago');
select is(pg_temp.sign_in('carol', 'c newer', null, 'c new'), 'ok', 'with the token of before');
select is((select count(*) from portal.session where token_hash = pg_temp.token('c new')), 0::bigint,
          '… that one ends');
select is(pg_temp.sign_in('carol', 'c newer'), '23505', 'a token that exists is never given twice');

-- devices: twenty

delete from portal.limiter;
insert into portal.device (token_hash, person_id, last_seen)
select pg_temp.token('d' || n), pg_temp.id('carol'), now() - n * interval '1 day' from generate_series(1, 25) n;
select is(pg_temp.sign_in('carol', 'c with device', sha256('a new browser')), 'ok', 'in a new browser');
select is((select count(*) from portal.device where person_id = pg_temp.id('carol')), 20::bigint,
          '… twenty are kept');
select is((select count(*) from portal.device where token_hash = sha256('a new browser')), 1::bigint,
          '… with the new one');
select is(pg_temp.finish(s.attempt, pg_temp.mail('carol'), '\x00', 'x', null, sha256('not yet')), 'refused',
          'a wrong password')
from pg_temp.start(pg_temp.mail('carol')) s;
select is((select count(*) from portal.device where token_hash = sha256('not yet')), 0::bigint,
          '… makes no browser known');

-- a weaker hash is replaced, by the same password's, at a success only

delete from portal.limiter;
select is(pg_temp.rehash(t, o, n), 'false', 'no new hash: ' || what)
from (values ('no session', 'nobody''s', pg_temp.output('bob'), 'planted'::bytea),
             ('a wrong output', 'bob', '\x00', 'planted'),
             ('no output', 'bob', null, 'planted'),
             ('the verifier itself', 'bob', sha256(pg_temp.output('bob')), 'planted'),
             ('another''s session', 'alice', pg_temp.output('bob'), 'planted'),
             ('no hash', 'bob', pg_temp.output('bob'), null)) v (what, t, o, n);
select is((select count(*) from portal.credential c where c.verifier = sha256('planted') or c.ops <> 2), 0::bigint,
          '… changes nothing');
select is(pg_temp.sign_in('bob', 'bob new'), 'ok', 'with the right one');
select is(pg_temp.rehash('bob new', pg_temp.output('bob'), 'stronger'), 'true', '… in the session that it opened');
select is(s.salt || ' ' || s.ops_ || ' ' || s.mem_, left(encode(sha256('s'), 'hex'), 32) || ' 3 65536',
          '… new parameters') from pg_temp.start(pg_temp.mail('bob')) s;
select is(pg_temp.sign_in('bob', 'bob old'), 'refused', '… the old output is no more');
select is(pg_temp.finish(s.attempt, pg_temp.mail('bob'), 'stronger', 'bob newer'), 'ok',
          '… the new one is') from pg_temp.start(pg_temp.mail('bob')) s;
select is(pg_temp.sign_in('alice', 'alice again'), 'ok', 'without a new hash');
select is((select ops || ' ' || mem_kib from portal.credential where person_id = pg_temp.id('alice')), '2 19456',
          '… all stays');

-- nothing that the workers can ask answers with a verifier

delete from portal.limiter;
create temporary table said (t text);
insert into said select row_to_json(s)::text from pg_temp.start(pg_temp.mail('alice')) s;
insert into said select row_to_json(s)::text from pg_temp.start(pg_temp.mail('bob'), null,
    pg_temp.token('browser of bob'), 99, 99) s;
insert into said select pg_temp.call(w, p, m, s, '{"path":{"id":"x"},"query":{"q":"verifier"},"form":{}}')::text
from unnest(array['alice', 'carol', 'manager', 'admin', null]) w,
    (select name from portal.page) x (p), unnest(array['GET', 'POST']) m, unnest(array['alpha', null]) s;
insert into said select pg_temp.eval('portal_web', format('(select row_to_json(x) from portal.session(%L, ''n'') x)',
    pg_temp.token(w))) from unnest(array['alice', 'manager']) w;
insert into said select pg_temp.eval('portal_web',
    format('(select row_to_json(x) from portal.file_grant(%L, null, %L, ''n'', ''i'', ''r'') x)',
    pg_temp.token('manager'), pg_temp.id(d)))
from unnest(array['alpha doc1', 'bravo doc1']) d;
select is((select count(*) from said, portal.credential c where position(encode(c.verifier,
          'hex') in t) > 0 or position(encode(c.verifier, 'base64') in t) > 0), 0::bigint,
          'no answer has a verifier in it');
select is((select count(*) from said, portal.session s where position(encode(s.token_hash, 'hex') in t) > 0),
          0::bigint, '… nor what a session is known by');
select is((select count(*) from said, portal.secret s where position(encode(s.value, 'hex') in t) > 0), 0::bigint,
          '… nor a key');
select cmp_ok((select count(*) from said), '>', 80::bigint, '… of so many');

-- what is over goes

delete from portal.attempt;
insert into portal.attempt (email_hash, blocked, account_key, network_key, created_at) select '\x00', true, '\x00',
    '\x00', now() - interval '11 minutes' from generate_series(1, 30);
delete from portal.limiter;
insert into portal.limiter (key, since, failures) select decode(lpad(to_hex(n), 8, '0'), 'hex'),
    now() - interval '3 days', case when n = 1 then 100 else 1 end from generate_series(1, 30) n;
insert into portal.limiter (key, since) values ('recent', now() - interval '47 hours'),
    ('locked', now() + interval '80 days');
do $$ begin perform pg_temp.start('x@test.example'), pg_temp.start('y@test.example'); end $$;
select is((select count(*) from portal.attempt where created_at < now() - interval '10 minutes'), 0::bigint,
          'old attempts are swept');
select is((select count(*) from portal.limiter where since < now() - interval '2 days'), 0::bigint,
          '… and old counts, however high');
select is((select count(*) from portal.limiter where key in ('recent', 'locked')), 2::bigint, '… and no others');

-- what is refused is kept sixty times a minute

create function pg_temp.refuse(who text, n integer) returns bigint language plpgsql as $$
begin
  perform pg_temp.call(who, 'document', 'GET', null,
                       format('{"path":{"id":"%s"},"query":{}}', gen_random_uuid())::json)
  from generate_series(1, n);
  return (select count(*) from portal.audit a where a.person_id = pg_temp.id(who) and a.action = 'refused');
end
$$;

delete from portal.audit;
insert into portal.audit (action, person_id) select 'document.opened', pg_temp.id('bob') from generate_series(1, 50);
select is(pg_temp.refuse('bob', 50), 50::bigint, 'fifty refusals');
select is(pg_temp.refuse('bob', 50), 60::bigint, 'a hundred');
select is((select count(*) from portal.audit where detail like '%more of this minute are not kept%'), 1::bigint,
          '… of which the last that is kept says that there were more');
select is(pg_temp.refuse('alice', 1), 1::bigint, 'another person''s are kept');
insert into portal.audit (action, person_id) select 'document.opened', pg_temp.id('bob') from generate_series(1, 3);
select is((select count(*) from portal.audit where action = 'document.opened'), 53::bigint, 'and other acts');
update portal.audit set at = at - interval '61 seconds';
select is(pg_temp.refuse('bob', 3), 63::bigint, 'and in the next minute again');

select * from finish();
rollback;
