-- Row-level security holds by itself: whoever can run any SQL as a role of
-- the pages, with whatever settings, and knows no token of a session, sees
-- and changes no row of anybody.  T73 and T74 too: nothing that others can
-- make stands in front of ours.

begin;
\ir setup.psql
select * from no_plan();
\ir seed.psql

create temporary table roles (role) as values ('portal_as_client'), ('portal_as_staff'), ('portal_as_job'),
    ('portal_gate'),
  ('portal_index'), ('portal_web'), ('portal_owner');

create temporary table tables (name) as
select c.relname::text from pg_class c where c.relnamespace = 'portal'::regnamespace and c.relkind in ('r',
    'p') and c.relrowsecurity;

-- an update that is allowed on every row, a delete, and an insert of a copy
create temporary table attempts (command, sql) as values
  ('select', 'select from portal.%1$I'),
  ('update', 'update portal.%1$I set %2$I = %2$I'),
  ('delete', 'delete from portal.%1$I'),
  ('insert', 'insert into portal.%1$I (%3$s) select %3$s from portal.%1$I');

create temporary view columns as
select t.name, (array_agg(a.attname::text order by a.attnum) filter (where a.attgenerated = ''
    and a.attidentity = ''))[1] as first,
       string_agg(quote_ident(a.attname), ', ' order by a.attnum) filter (where a.attgenerated = ''
           and a.attidentity = '') as all
from tables t join pg_attribute a on a.attrelid = ('portal.' || quote_ident(t.name))::regclass
where a.attnum > 0 and not a.attisdropped
group by 1;

create function pg_temp.touched(role text) returns table ("table" text, command text, outcome text)
language sql as $$
  select c.name, a.command, r
  from columns c, attempts a, pg_temp.try(role, format(a.sql, c.name, c.first, c.all)) r
  where r not in ('0', '42501')
$$;

-- session, then client, as somebody may forge them; NULL: was never set
create temporary table forgeries (n, session, client) as values
  (1, null, null),
  (2, '', ''),
  (3, '', pg_temp.id('bravo')::text),
  (4, repeat('00', 32), ''),
  (5, repeat('00', 32), pg_temp.id('bravo')::text),
  (6, encode(pg_temp.token('expired'), 'hex') || '00', ''),
  (7, upper(encode(pg_temp.token('nobody'), 'hex')), pg_temp.id('bravo')::text),
  (8, encode(pg_temp.token('fired'), 'hex'), pg_temp.id('bravo')::text),
  (9, '%', '%'),
  (10, pg_temp.id('session of bob')::text, pg_temp.id('bravo')::text),
  (11, pg_temp.id('bob')::text, pg_temp.id('bravo')::text);

-- the first of them on a connection of its own is t/isolation.t's business:
-- in this session the settings exist since the seed or never
create function pg_temp.forge(s text, c text) returns void
language plpgsql as $$
begin
  if s is not null then
    perform set_config('portal.session', s, true), set_config('portal.client', c, true);
  end if;
end
$$;

select is(count(*) > 12, true, 'tables are tried') from tables;

select is((select string_agg(format('%s %s: %s', t.command, t.table, t.outcome), ', ') from pg_temp.touched(r.role) t
           where t.outcome !~ '^22'),
          null, format('%s, settings forged (%s): no row of any table', r.role, f.n))
from forgeries f, roles r, pg_temp.forge(f.session, f.client)
where r.role like 'portal\_as\_%';

-- … and the same attempts do find rows where there is a session
select pg_temp.forge(encode(pg_temp.token('alice'), 'hex'), '');
select set_eq($$ select "table", command from pg_temp.touched('portal_as_client') $$,
              $$ values ('client', 'select'), ('document', 'select'), ('document', 'insert'),
                ('document_count', 'select'),
                        ('opening', 'select') $$,
              'alice finds rows of these tables');
select set_eq($$ select "table", command from pg_temp.touched('portal_gate') where "table" in ('document',
    'opening') $$,
              $$ values ('document', 'select'), ('opening', 'select'), ('opening', 'insert') $$,
              '… and the gate for her');

-- each with the session of somebody: their own, and not a row more
create function pg_temp.seen(role text, who text, slug text) returns text
language plpgsql as $$
begin
  perform pg_temp.forge(encode(pg_temp.token(who), 'hex'), coalesce(pg_temp.id(slug)::text, ''));
  return pg_temp.eval(role, $q$
    coalesce((select string_agg(distinct split_part(d.title, ' ', 1), ' ') from portal.document d), '-') || ', ' ||
    coalesce((select string_agg(c.slug, ' ' order by c.slug) from portal.client c), '-') || ', ' ||
    (select count(*) from portal.opening) || ', ' || (select count(distinct n.client_id)
        from portal.document_count n) $q$);
end
$$;

select is(pg_temp.seen('portal_as_client', 'alice', null), 'MARKalpha, alpha, 1, 1', 'alice sees alpha');
select is(pg_temp.seen('portal_as_client', 'alice', 'alpha'), 'MARKalpha, alpha, 1, 1',
          '… when the request is about alpha');
select is(pg_temp.seen('portal_as_client', 'alice', 'bravo'), '-, -, 0, 0', '… and nothing when it is about bravo');
select is(pg_temp.seen('portal_as_client', 'carol', null), 'MARKalpha MARKbravo, alpha bravo, 2, 2',
          'carol sees alpha and bravo, no client that was closed, none that she left');
select is(pg_temp.seen('portal_as_client', 'carol', 'bravo'), 'MARKbravo, bravo, 1, 1',
          '… one of them when it is about one');
select is(pg_temp.seen('portal_as_client', 'carol', c), '-, -, 0, 0', '… nothing of one that ' || w)
from (values ('charlie', 'she left'), ('closed', 'was closed')) v (c, w);
select is(pg_temp.seen('portal_as_staff', 'collab', null), 'MARKalpha, alpha, 1, 1',
          'a collaborator sees his portfolio');
select is(pg_temp.seen('portal_as_staff', 'collab', 'bravo'), '-, -, 0, 0', '… and nothing else');
select is(pg_temp.seen('portal_as_staff', 'nobody', null), '-, -, 0, 0', '… nothing without one');
select is(pg_temp.seen('portal_as_staff', 'manager', 'bravo'), 'MARKbravo, bravo, 1, 1',
          'a manager sees each client');
select is(pg_temp.seen('portal_as_staff', 'fired', c), '-, -, 0, 0',
          'a person of the staff without a place in it sees nothing')
from unnest(array[null, 'alpha']) c;

-- writes with a session, of somebody else's rows
select pg_temp.forge(encode(pg_temp.token('alice'), 'hex'), '');

select is(pg_temp.try('portal_as_client', format(
            'insert into portal.document (client_id, category, title, name, hash, size, mime, kind)
             values (%L, ''bilans'', ''x'', ''x'', sha256(''x''), 1, ''text/plain'', ''any'')', pg_temp.id(c))), r,
          'alice inserts into ' || c)
from (values ('alpha', '1'), ('bravo', '42501'), ('charlie', '42501'), ('closed', '42501')) x (c, r);

select is(pg_temp.try('portal_as_client', format('update portal.document set deleted_at = now() where id = %L',
          pg_temp.id(d))), r,
          'alice deletes ' || d)
from (values ('alpha doc1', '1'), ('bravo doc1', '0')) x (d, r);

select is(pg_temp.try('portal_as_client', 'update portal.document set ' || s), '42501',
          'nobody of the clients: ' || s)
from unnest(array['client_id = client_id', 'withdrawn_at = null', 'hash = hash', 'accepted_at = now()',
    'author_id = null']) s;

select is(pg_temp.try(r, 'update portal.document set deleted_at = now()'), '42501', r || ' deletes nothing')
from unnest(array['portal_as_staff', 'portal_as_job', 'portal_index']) r;

select is(pg_temp.try('portal_as_client', format('update portal.client set name = %L where id = %L', 'x',
          pg_temp.id('alpha'))), '42501',
          'a client does not change its own row');

-- who is who is the gate's, and nobody else reads it
select is(pg_temp.try(r, 'select from portal.' || t), '42501', format('%s reads no %s', r, t))
from unnest(array['portal_as_client', 'portal_as_staff', 'portal_as_job', 'portal_index', 'portal_web']) r,
     unnest(array['session', 'credential', 'person', 'staff', 'membership', 'portfolio', 'device', 'attempt',
         'limiter', 'secret',
                  'audit']) t;

-- the owner of the tables is held to the policies too
select is_empty($$ select * from pg_temp.touched('portal_owner') $$, 'portal_owner sees and changes no row');

-- as a role of the pages one cannot become another
select pg_temp.forge('', '');
select is(pg_temp.eval('portal_as_client',
          format('portal.person_id() is null and portal.client_ids() = ''{}'' and portal.client() is null')),
          'true', 'no setting: nobody, no client');
select is(pg_temp.eval('portal_as_client', 'portal.client_slug(''' || pg_temp.id('bravo') || ''')'), null,
          'no slug of a foreign client');
select is(pg_temp.eval('portal_as_client', 'portal.preset()'), null, 'no preset');
select is(pg_temp.eval('portal_as_client', 'portal.preset()'), x, format('preset of %s at %s', w, c))
from (values ('alice', 'alpha', 'owner'), ('reader', 'alpha', 'reader'), ('alice', 'bravo', null),
    ('carol', 'charlie', null)) v (w, c, x),
     pg_temp.forge(encode(pg_temp.token(w), 'hex'), pg_temp.id(c)::text);
select pg_temp.forge('', '');
select is(pg_temp.eval('portal_as_client', 'portal.document_elsewhere(''' || pg_temp.id('bravo doc1') || ''')'), null,
          'no way to where a foreign document is');
select is(pg_temp.eval('portal_as_client', 'portal.documents_found(''MARKbravo'')'), '{}',
          'no candidate of a search');
select pg_temp.forge(encode(pg_temp.token('alice'), 'hex'), pg_temp.id('bravo')::text);
select is(pg_temp.eval('portal_as_client', 'portal.documents_found(''MARKbravo'')'), '{}',
          '… of a client that is not the session''s');
select is(pg_temp.try('portal_as_client', 'select portal.quota_take(1, 1)'), 'PT422', '… and no room of it is taken');
select is(pg_temp.eval('portal_as_client', 'portal.client_ids()'), '{}', '… which is none of its clients');

-- the narrow table: candidates of the session's client, whoever asks
select pg_temp.forge(encode(pg_temp.token('carol'), 'hex'), pg_temp.id('alpha')::text);
select is(pg_temp.eval('portal_as_client',
          $$ (select count(distinct d.client_id) from unnest(portal.documents_found('mark')) x
            join portal.document d on d.id = x) $$), '1', 'candidates are of the client of the request');

-- the audit: nobody changes what is written
-- the administrator adds persons, clients, memberships and documents,
-- with what their triggers and defaults call (a right that was checked before
-- in this transaction is not checked again)

select is(has_function_privilege('portal_admin', f, 'execute'), true, 'the administrator may call ' || f)
from unnest(array['portal.email_key(text)', 'portal.plain(text)', 'portal.initials(text)', 'portal.avatar(uuid)',
                  'portal.uuid_v7()']) f;
select is(pg_temp.try('portal_admin', q), '1', 'the administrator: ' || q)
from (values ('insert into portal.person (email, name, kind) values (''new@x.example'', ''New One'', ''client'')'),
             ('insert into portal.client (number, slug, name) values (''N1'', ''new-one'', ''New One'')'),
             (format('insert into portal.membership (person_id, client_id) values (%L, %L)', pg_temp.id('bob'),
                     pg_temp.id('alpha'))),
             (format('insert into portal.document (client_id, category, title, name, hash, size, mime, kind) values '
                     '(%L, ''bilans'', ''t'', ''n'', sha256(''x''), 1, ''text/plain'', ''any'')', pg_temp.id('alpha'))),
             (format('update portal.client set closed_at = now() where id = %L', pg_temp.id('alpha')))) v (q);

select is(pg_temp.try(r, s), x, format('%s: %s', r, s))
from (values ('portal_gate', 'update portal.audit set detail = ''''', '42501'),
    ('portal_gate', 'delete from portal.audit', '42501'),
             ('portal_gate', 'truncate portal.audit', '42501'),
               ('portal_admin', 'update portal.audit set detail = ''''', '42501'),
             ('portal_admin', 'delete from portal.audit', '42501'),
               ('portal_admin', 'truncate portal.audit', '42501'),
             ('portal_owner', 'update portal.audit set detail = ''''', '0'),
               ('portal_owner', 'delete from portal.audit', '0'),
             ('portal_web', 'insert into portal.audit (action) values (''x'')', '42501'),
             ('portal_as_client', 'insert into portal.audit (action) values (''x'')', '42501')) v (r, s, x);

-- T73: a temporary table of our name
select is(pg_temp.try('portal_web', format('create temporary table %I (id uuid)', name)), '42501',
          'the workers make no temporary table ' || name) from tables;
select is(pg_temp.try(role, 'create temporary table session (id uuid)'), '42501',
          role || ' makes no temporary table') from roles;
select is(pg_temp.try(role, 'create table portal.x (id uuid)'),
          case when role = 'portal_owner' then '0' else '42501' end,
          role || ' and tables') from roles;
select is(pg_temp.try(role, 'create function portal.x() returns int language sql as ''select 1'''),
          case when role = 'portal_owner' then '0' else '42501' end, role || ' and functions') from roles;

-- … and should one be there all the same
create temporary table session (like portal.session including all);
create temporary table person (like portal.person including all);
create temporary table membership (like portal.membership including all);
create temporary table document (like portal.document including all);
create temporary table client (like portal.client including all);
insert into pg_temp.session (token_hash, person_id, idle, absolute_end)
values (sha256('forged'), pg_temp.id('bob'), 1800, now() + interval '1 day');
insert into pg_temp.person select * from portal.person;
insert into pg_temp.membership (person_id, client_id) select pg_temp.id('alice'), id from portal.client;
insert into pg_temp.document (id, client_id, category, title, name, hash, size, mime, kind)
select id, pg_temp.id('alpha'), category, 'FORGED', name, hash, size, mime, kind from portal.document;
insert into pg_temp.client (id, number, slug, name) select id, number, slug, 'FORGED' from portal.client;
grant all on all tables in schema pg_temp to public;
select pg_temp.forget();

select is(pg_temp.eval('portal_web', '(select count(*) from portal.session(sha256(''forged''), ''n''))'), '0',
          'a session of a temporary table is none');
select is(pg_temp.eval('portal_web', '(select status from portal.call(sha256(''forged''), ''documents'', ''GET'', null, ''{}'', ''n''))'),
          '401', '… nor for a page');
select is(pg_temp.status('alice', 'documents', 'GET', 'bravo'), '404', 'a membership of a temporary table is none');
select is(pg_temp.call('alice', 'documents')::text !~ 'FORGED', true, 'documents and clients are the true ones');
select is(pg_temp.call('alice', 'documents') -> 'body' ->> 'total', '3', '… all of them');
drop table pg_temp.session, pg_temp.person, pg_temp.membership, pg_temp.document, pg_temp.client;

-- T74: a schema of the site full of our names
select json_agg(pg_temp.call(w, p, 'GET', s) order by w, p)::text as before
from unnest(array['alice', 'carol', 'bob', 'manager', null]) w, unnest(array['documents', 'clients', 'home',
    'sessions']) p,
     unnest(array['alpha', null]) s \gset

do $$
declare
  t record;
begin
  for t in select c.relname from pg_class c where c.relnamespace = 'portal'::regnamespace and c.relkind = 'r'
  loop
    execute format('create table portal_site.%I (like portal.%I)', t.relname, t.relname);
    execute format('grant all on portal_site.%I to public', t.relname);
  end loop;
end
$$;

do $$
declare
  f record;
begin
  for f in select p.prosrc, pg_get_functiondef(p.oid) as definition from pg_proc p
      where p.pronamespace = 'portal'::regnamespace
  loop
    execute replace(replace(f.definition, f.prosrc, 'begin raise ''of the site''; end'), 'FUNCTION portal.',
        'FUNCTION portal_site.');
  end loop;
end
$$;
grant usage on schema portal_site to public;

select is(json_agg(pg_temp.call(w, p, 'GET', s) order by w, p)::text, :'before',
          'a site full of our names changes nothing')
from unnest(array['alice', 'carol', 'bob', 'manager', null]) w, unnest(array['documents', 'clients', 'home',
    'sessions']) p,
     unnest(array['alpha', null]) s;
select is(pg_temp.status('alice', 'document', 'GET', null, json_build_object('path', json_build_object('id',
          pg_temp.id('alpha doc1')))),
          '200', '… a document neither');

select * from finish();
rollback;
