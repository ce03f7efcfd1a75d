-- What follows from a document: its counts, its row of the search, its
-- client's room; whatever happens to it, they follow.

begin;
\ir setup.psql
select * from no_plan();
\ir seed.psql

-- the counts that are kept, and what they should be
create temporary view kept as
select client_id, year, category, n from portal.document_count where n <> 0;
create temporary view real as
select client_id, extract(year from date)::smallint as year, category,
    count(*)::integer as n from portal.document where live group by 1, 2, 3;
create function pg_temp.counts(what text) returns text language sql as $$
  select set_eq('select * from kept', 'select * from real', 'counts after ' || what)
$$;
create function pg_temp.found(what text) returns text language sql as $$
  select set_eq('select document_id, client_id from portal.search',
      'select id, client_id from portal.document where live', 'search after ' || what)
$$;
create function pg_temp.both(what text) returns setof text language sql as $$
  select pg_temp.counts(what) union all select pg_temp.found(what)
$$;
create function pg_temp.id_of(t text) returns uuid language sql as $$ select id from portal.document
    where title = t $$;

select pg_temp.both('the seed');
select is((select count(*) from real), 4::bigint, 'there is something to count');

insert into portal.document (client_id, category, title, name, hash, size, mime, kind, date)
select pg_temp.id((array['alpha', 'bravo', 'charlie'])[1 + n % 3]),
    (array['bilans', 'paie', 'depots'])[1 + n % 2], 'Many ' || n, 'many_' || n || '.pdf',
       sha256(n::text::bytea), n, 'application/pdf', 'pdf', date '2020-01-01' + n * 40
from generate_series(1, 90) n;
select pg_temp.both('90 more');

update portal.document set category = 'paie' where title like 'Many 1%';
select pg_temp.both('another category');
update portal.document set date = date - interval '1 year' where title like 'Many 2%';
select pg_temp.both('another date');
update portal.document set title = title || ' renamed', name = 'x' where title like 'Many 3%';
select pg_temp.both('another title');
update portal.document set withdrawn_at = now() where title like 'Many 4%';
select pg_temp.both('a withdrawal');
update portal.document set deleted_at = now() where title like 'Many _4';
select pg_temp.both('a deletion, of some withdrawn already');
update portal.document set withdrawn_at = null where title like 'Many 4%';
select pg_temp.both('a withdrawal taken back');
update portal.document d set replaced_by = (select id from portal.document x where x.client_id = d.client_id
    and x.title like 'Many 5_' order by x.id limit 1)
where title like 'Many 6%';
select pg_temp.both('a new version');
update portal.document set replaced_by = null, date = date + 400, category = 'bilans' where title like 'Many 6%';
select pg_temp.both('all at once');
update portal.document set title = title where title like 'Many%';
select pg_temp.both('nothing');
update portal.document set client_id = pg_temp.id('charlie') where title = 'Many 7';
select pg_temp.both('another client');
delete from portal.document where title like 'Many _4' and deleted_at is not null;
select pg_temp.both('rows of deleted ones are gone');
select lives_ok($$ delete from portal.document where title = 'Many 8' $$, 'the row of a live one can go');
select pg_temp.both('that');
select is((select min(n) >= 0 from portal.document_count), true, 'no count is negative');

insert into portal.document (client_id, category, title, name, hash, size, mime, kind, withdrawn_at)
values (pg_temp.id('alpha'), 'bilans', 'Born dead', 'x', sha256('x'), 1, 'text/plain', 'any', now());
select pg_temp.both('one that was never live');

-- counts leave out what is not published yet, until it is

create function pg_temp.counted(who text, slug text) returns text language sql as $$
  select string_agg((c ->> 'slug') || ' ' || (c ->> 'count'), ', ' order by c ->> 'slug')
  from json_array_elements(pg_temp.call(who, 'documents', 'GET', slug, '{}') -> 'body' -> 'categories') c;
$$;
create temporary table before as select pg_temp.counted('alice', 'alpha') as c,
  (pg_temp.call('alice', 'documents', 'GET', 'alpha', '{}') -> 'body' ->> 'all')::integer as n;
insert into portal.document (client_id, category, title, name, hash, size, mime, kind, published_at)
values (pg_temp.id('alpha'), 'bilans', 'Tomorrow''s', 'x', sha256('x'), 1, 'text/plain', 'any', now() + interval '1 day');
select is(pg_temp.counted('alice', 'alpha'), (select c from before), 'not published yet: not counted');
select is((pg_temp.call('alice', 'documents', 'GET', 'alpha', '{}') -> 'body' ->> 'all')::integer, (select n from before),
          '… nor in all');
update portal.document set published_at = now() where title = 'Tomorrow''s';
select is((pg_temp.call('alice', 'documents', 'GET', 'alpha', '{}') -> 'body' ->> 'all')::integer,
          (select n + 1 from before), 'published: counted');
delete from portal.document where title = 'Tomorrow''s';

-- new documents of one day stand in the order they came

select is((select array_agg(n order by id) from (select n, portal.uuid_v7() as id from generate_series(1, 50) n) x),
          (select array_agg(n order by n) from generate_series(1, 50) n), 'identifiers sort by time');
select matches(portal.uuid_v7()::text, '^0[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-', '… of version 7');

-- what a search finds is what is there, of the client alone

create function pg_temp.titles(who text, slug text, q text) returns text language sql as $$
  select string_agg(d ->> 'title', ', ' order by d ->> 'title')
  from json_array_elements(pg_temp.call(who, 'documents', 'GET', slug, json_build_object('query',
      json_build_object('q', q))) -> 'body' -> 'groups') g,
       json_array_elements(g -> 'documents') d
$$;

select is(pg_temp.titles('alice', null, 'markalpha'), 'MARKalpha deposit, MARKalpha doc1, MARKalpha doc2',
          'alice finds what is there of alpha');
-- what is like it, of her own, may be found
select doesnt_match(coalesce(pg_temp.titles(w, s, q), ''), f, format('"%s" finds nothing of %s for %s at %s', q, f,
    w, coalesce(s, '-')))
from (values ('alice', null, 'bravo'), ('bob', null, 'alpha'), ('carol', 'alpha', 'bravo'),
    ('carol', 'bravo', 'alpha'), ('collab', 'alpha', 'bravo'),
             ('manager', 'alpha', 'bravo'), ('eve', null, 'alpha|bravo')) v (w, s, f),
     unnest(array['MARKbravo', 'markbravo-doc1', 'bravo', 'MARKbrav', 'MARKbravx', 'Bob', 'MARKalpha',
         'markalpha-doc1', 'alpha', 'MARKalphx', 'Alice', 'pdf']) q;
select is(pg_temp.titles('carol', 'bravo', 'MARKbravo doc1'), 'MARKbravo doc1', 'carol finds one of bravo at bravo');
select is(pg_temp.titles('alice', null, t), null, format('"%s": of what is not there nothing', t))
from unnest(array['withdrawn', 'deleted', 'old', 'future', 'Born dead']) t;

create temporary table asked (q, status) as
values ('', '200'), ('   ', '200'), ('''', '200'), ('" & | ! <-> : *', '200'), ('a & b', '200'), (':*', '200'),
    ('le la les', '200'), (repeat('a', 200), '200'), (repeat('a', 201), '400'),
       ('\x00', '200'), ('100%', '200'), ('_', '200'), ('é', '200'), ('Ünïcödé', '200'), (repeat('x y ', 50), '200'),
           ('$$; drop table x; --', '200'), (U&'\+01F600', '200');
select is(pg_temp.status('alice', 'documents', 'GET', null, json_build_object('query', json_build_object('q', q))),
          status, format('search "%s": %s', left(q, 20), status)) from asked;

-- pages of a list, and its cursors: another client's document is no place in it

create function pg_temp.after(who text, slug text, d text, sort text default 'recent') returns text language sql as $$
  select pg_temp.status(who, 'documents', 'GET', slug, json_build_object('query', json_build_object('after', d,
      'sort', sort)))
$$;
select is(pg_temp.after('alice', null, d, s), '400', format('after %s by %s: 400', w, s))
from (values ('one of bravo', pg_temp.id('bravo doc1')::text), ('one that never was', pg_temp.id('never')::text),
    ('nonsense', 'x'), ('~nonsense', '~x')) v (w, d),
     unnest(array['recent', 'name', 'unread']) s;
select is(pg_temp.after('alice', null, pg_temp.id('alpha doc1')::text, s), '200',
          'after one of alpha by ' || s) from unnest(array['recent', 'name', 'unread']) s;

create function pg_temp.crawl(who text, slug text, sort text) returns setof text language plpgsql as $$
declare
  c json;
  next text;
begin
  for i in 1 .. 20 loop
    c := pg_temp.call(who, 'documents', 'GET', slug, json_build_object('query', json_build_object('after',
        coalesce(next, ''), 'sort', sort))) -> 'body';
    return query select d ->> 'id' from json_array_elements(c -> 'groups') g, json_array_elements(g -> 'documents') d;
    next := c ->> 'next';
    exit when next is null;
  end loop;
end
$$;
select set_eq(format('select crawl from pg_temp.crawl(%L, null, %L)', w, s),
              format('select id::text from portal.document where client_id = %L and live and published_at <= now()',
                pg_temp.id(c)), format('%s walks through %s by %s: all of it, once', w, c, s))
from (values ('alice', 'alpha'), ('bob', 'bravo'),
    ('eve', 'charlie')) v (w, c), unnest(array['recent', 'name', 'unread']) s;
select is((select count(*) from pg_temp.crawl(w, null, s)),
          (select count(*) from portal.document where client_id = pg_temp.id(c) and live and published_at <= now()),
          format('… %s by %s, so many', c, s))
from (values ('alice', 'alpha'), ('bob', 'bravo'),
    ('eve', 'charlie')) v (w, c), unnest(array['recent', 'name', 'unread']) s;
select is((pg_temp.call(w, 'documents') -> 'body' ->> 'all')::integer,
          (select count(*)::integer from portal.document where client_id = pg_temp.id(c) and live and published_at <= now()),
          'the number told is that of ' || c)
from (values ('alice', 'alpha'), ('bob', 'bravo'), ('eve', 'charlie')) v (w, c);

-- deposits take room, give it back, and never more

create function pg_temp.files(n integer, size bigint) returns json language sql as $$
  select json_agg(json_build_object('name', 'deposit ' || i || '.txt', 'sha256', encode(sha256(('f' || i)::bytea),
      'hex'), 'size', size, 'type', 'text/plain', 'kind', 'any', 'inline', false))
  from generate_series(1, n) i
$$;
create function pg_temp.deposit(who text, slug text, files json) returns text language sql as $$
  select (c ->> 'status') || coalesce(' ' || (c ->> 'errors'), '') from pg_temp.call(who, 'document_deposit', 'POST',
      slug, json_build_object('files', files)) c
$$;
create function pg_temp.used(slug text) returns text language sql as $$ select used_files || ' ' || used_bytes
    from portal.client c where c.slug = used.slug $$;

update portal.client set quota_files = 10, quota_bytes = 10000, used_files = 0, used_bytes = 0;
select is(pg_temp.deposit('alice', null, pg_temp.files(1, 4000)), '303', 'a deposit');
select is(pg_temp.used('alpha'), '1 4000', '… takes room');
select is(pg_temp.used('bravo'), '0 0', '… of no other client');
select is(pg_temp.deposit('alice', null, pg_temp.files(2, 3000)), '303', 'two files');
select is(pg_temp.used('alpha'), '3 10000', '… fill it to the last byte');
select is(pg_temp.deposit('alice', null, pg_temp.files(1, 1)), '422 {"files":"files.quota"}',
          'a byte more is refused');
select is(pg_temp.used('alpha'), '3 10000', '… and takes nothing');
select is((select count(*) from portal.document where client_id = pg_temp.id('alpha') and title like 'deposit _'),
          3::bigint, '… nor leaves a row');
update portal.client set quota_bytes = 1000000;
select is(pg_temp.deposit('alice', null, pg_temp.files(8, 1)), '422 {"files":"files.quota"}',
          'nor files beyond their number');
select is(pg_temp.deposit('alice', null, pg_temp.files(7, 1)), '303', '… up to it');
select is(pg_temp.used('alpha'), '10 10007', '… are counted');
select pg_temp.both('deposits');

select is(pg_temp.deposit(w, s, f), x, format('deposit of %s by %s at %s: %s', f ->> 0, w, s, x))
from (values ('alice', null, '[]'::json, '422 {"files":"files.empty"}'),
    ('alice', null, '{}', '422 {"files":"files.empty"}'), ('alice', null, null, '422 {"files":"files.empty"}'),
             ('alice', null, '"files.type"', '422 {"files" : "files.type"}'),
               ('reader', null, pg_temp.files(1, 1), '403'), ('alice', 'bravo', pg_temp.files(1, 1), '404'),
             ('carol', null, pg_temp.files(1, 1), '404'), ('manager', 'alpha', pg_temp.files(1, 1), '403'),
               ('bob', null, pg_temp.files(1, 0), '422 {"form" : "form.refused"}'),
             ('bob', null, '[{"name":"x","sha256":"zz","size":1,"type":"t","kind":"any","inline":false}]', '400'),
             ('bob', null, '[{"name":"x","sha256":"00","size":1,"type":"t","kind":"any","inline":false}]',
               '422 {"form" : "form.refused"}'),
             ('bob', null, '[{"name":"x","size":"many"}]', '400'),
               ('bob', null, pg_temp.files(1, -4000), '422 {"form" : "form.refused"}')) v (w, s, f, x);
select is(pg_temp.used('bravo'), '0 0', 'refused ones take nothing');
select is((select string_agg(distinct author_id::text, ' ') from portal.document where title like 'deposit _'),
          pg_temp.id('alice')::text, 'a deposit has its author');

create function pg_temp.remove(who text, slug text, id uuid) returns text language sql as $$
  select (c ->> 'status') || coalesce(' ' || (c ->> 'errors'), '') from pg_temp.call(who, 'document_delete', 'POST',
      slug, json_build_object('path', json_build_object('id', id))) c
$$;
create temporary table mine as
select id, size, row_number() over (order by size desc,
    id) as n from portal.document where title like 'deposit _' and client_id = pg_temp.id('alpha');

select is(pg_temp.remove(w, s, id), x, format('%s takes it back at %s: %s', w, coalesce(s, '-'), x))
from mine, (values ('bob', null, '404'), ('carol', 'bravo', '404'),
    ('carol', 'alpha', '422 {"form":"document.not_deletable"}'),
    ('reader', null, '422 {"form":"document.not_deletable"}'),
                   ('manager', 'alpha', '403'), ('alice', 'bravo', '404')) v (w, s, x) where n = 1;
select is(pg_temp.used('alpha'), '10 10007', 'nobody else gives room back');
select is(pg_temp.remove('alice', null, id), '303', 'who deposited takes it back') from mine where n = 1;
select is(pg_temp.used('alpha'), '10 10007', '… its room not: the file is still there');
select is(pg_temp.remove('alice', null, id), '404', '… once') from mine where n = 1;
update portal.document set accepted_at = now() where id = (select id from mine where n = 2);
select is(pg_temp.remove('alice', null, id), '422 {"form":"document.not_deletable"}',
          'not what was accepted') from mine where n = 2;
select is(pg_temp.remove('alice', null, pg_temp.id('alpha doc1')), '422 {"form":"document.not_deletable"}',
          'not what the company published');
select pg_temp.both('what was taken back');
update portal.client set used_files = 0, used_bytes = 0 where slug = 'alpha';
select is(pg_temp.remove('alice', null, id), '303', 'even if the books are wrong') from mine where n = 3;
select is(pg_temp.used('alpha'), '0 0', '… the room is never negative');
select is((select count(*) from portal.audit where action = 'document.deposited'
          and client_id = pg_temp.id('alpha')), 10::bigint, 'each deposit is in the audit');
select is((select count(*) from portal.audit where action = 'document.deleted' and client_id = pg_temp.id('alpha')),
          2::bigint, '… each removal too');

-- what page and worker tell each other about is the same document

select is((select count(*) from portal.search s join portal.document d on d.id = s.document_id
          where s.client_id <> d.client_id), 0::bigint,
          'a row of the search is of its document''s client');

select * from finish();
rollback;
