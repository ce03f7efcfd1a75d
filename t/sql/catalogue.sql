-- What the catalogue says: owners, policies, rights, search paths.  Asked of
-- the catalogue itself, so that a new table or function is held to it too.

begin;
\ir setup.psql
select * from no_plan();

create temporary view ours as
select p.oid, p.oid::regprocedure::text as f, n.nspname as schema, p.proname as name, r.rolname as owner,
    p.prosecdef as definer,
       p.proconfig as config, p.proacl as acl, p.prolang
from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
where n.nspname in ('portal', 'portal_site');

create temporary view tables as
select c.oid, c.relname as name, r.rolname as owner, c.relkind, c.relrowsecurity as enabled,
    c.relforcerowsecurity as forced,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'client_id'
           and not a.attisdropped) as by_client
from pg_class c join pg_roles r on r.oid = c.relowner
where c.relnamespace = 'portal'::regnamespace and c.relkind in ('r', 'p');

create temporary view relations as
select c.oid, c.relkind
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and n.oid not in (select extnamespace from pg_extension where extname = 'pgtap');

create temporary view policies as
select c.relname as table, p.polname as name, case when x.oid = 0 then 'public' else r.rolname end as role, p.polcmd,
    p.polpermissive,
       pg_get_expr(p.polqual, p.polrelid) as qual, pg_get_expr(p.polwithcheck, p.polrelid) as check
from pg_policy p join pg_class c on c.oid = p.polrelid,
    unnest(p.polroles) x (oid) left join pg_roles r on r.oid = x.oid;

-- roles

select set_eq(
  $$ select rolname::text, rolcanlogin, rolbypassrls from pg_roles where rolname like 'portal%' $$,
  $$ values ('portal_admin', true, true), ('portal_as_client', false, false), ('portal_as_job', false, false),
            ('portal_as_staff', false, false), ('portal_gate', false, false), ('portal_index', false, false),
            ('portal_owner', false, false), ('portal_web', true, false) $$,
  'the roles: who may log in, who passes row-level security');

select is_empty(
  $$ select rolname from pg_roles where rolname like 'portal%'
      and (rolsuper or rolcreatedb or rolcreaterole or rolreplication) $$,
  'none is more than a role');

select is_empty(
  $$ select m.rolname, g.rolname from pg_auth_members a join pg_roles m on m.oid = a.member
      join pg_roles g on g.oid = a.roleid
     where m.rolname like 'portal%' or g.rolname like 'portal%' $$,
  'none is a member of another, nor of a predefined role, so none can become another');

select set_eq(
  $$ select unnest(s.setconfig) from pg_db_role_setting s
     where s.setrole = 'portal_web'::regrole and s.setdatabase in (0,
         (select oid from pg_database where datname = current_database())) $$,
  $$ values ('statement_timeout=2s'), ('lock_timeout=1s'), ('idle_in_transaction_session_timeout=5s'),
            ('client_connection_check_interval=500ms'), ('jit=off'), ('plan_cache_mode=force_generic_plan'),
            ('random_page_cost=1.1'),
            ('log_parameter_max_length=0'), ('log_parameter_max_length_on_error=0') $$,
  'settings of a session of the workers');

-- the database and its schemas

select is_empty(
  $$ select r.rolname, p.p from pg_roles r, unnest(array['TEMP', 'CREATE']) p (p)
     where r.rolname like 'portal%' and has_database_privilege(r.oid, current_database(), p.p) $$,
  'no role may create a schema or a temporary table');

select is_empty(
  $$ select a.privilege_type from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
     where d.datname = current_database() and a.grantee = 0 $$,
  'PUBLIC may not even connect');

select is_empty(
  $$ select r.rolname, n.nspname from pg_roles r, pg_namespace n
     where r.rolname like 'portal%' and r.rolname <> 'portal_owner' and n.nspname !~ '^pg_'
       and has_schema_privilege(r.oid, n.oid, 'CREATE') $$,
  'nobody but portal_owner may create anything in a schema');

select is_empty(
  $$ select n.nspname, a.privilege_type from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n',
      n.nspowner))) a
     where n.nspname in ('portal', 'portal_site', 'portal_ext', 'public') and a.grantee = 0 $$,
  'PUBLIC has no right on a schema of ours');

select set_eq(
  $$ select n.nspname::text from pg_namespace n
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and has_schema_privilege('portal_web', n.oid,
         'USAGE') $$,
  $$ values ('portal') $$,
  'the workers see no schema but portal');

select is(r.rolname::text, 'portal_owner', 'owner of schema ' || n.nspname)
from pg_namespace n join pg_roles r on r.oid = n.nspowner
where n.nspname in ('portal', 'portal_site') order by 1;

-- tables

select is_empty($$ select name, owner from tables where owner <> 'portal_owner' $$, 'portal_owner owns every table');

select is_empty(
  $$ select c.relname, r.rolname from pg_class c join pg_roles r on r.oid = c.relowner
     where c.relnamespace in ('portal'::regnamespace, 'portal_site'::regnamespace) and r.rolname <> 'portal_owner' $$,
  '… every index, sequence and type of a row');

select set_eq(
  $$ select name::text from tables where not enabled $$,
  $$ values ('category'), ('page'), ('migration') $$,
  'row-level security is enabled on every table but three that hold nobody''s data');

select is_empty($$ select name from tables where enabled and not forced $$, '… and forced');
select is_empty($$ select name from tables where by_client and not (enabled and forced) $$,
    '… on each with a client_id');

select is_empty(
  $$ select c.relname from pg_class c
     where c.relnamespace in ('portal'::regnamespace, 'portal_site'::regnamespace) and c.relkind in ('v', 'm')
       and not coalesce(c.reloptions @> array['security_invoker=true'], false) $$,
  'views: none, or with security_invoker');

select is_empty(
  $$ select c.conrelid::regclass, c.conname from pg_constraint c
     join tables a on a.oid = c.conrelid join tables b on b.oid = c.confrelid
     where c.contype = 'f' and a.by_client and b.by_client
       and not exists (select from unnest(c.conkey, c.confkey) k (x, y)
                       join pg_attribute p on p.attrelid = c.conrelid and p.attnum = k.x
                       join pg_attribute q on q.attrelid = c.confrelid and q.attnum = k.y
                       where p.attname = 'client_id' and q.attname = 'client_id') $$,
  'a reference from one table of clients to another carries client_id');

select is_empty(
  $$ select t.name from tables t
     where t.by_client and not exists (select from pg_index i join pg_attribute a on a.attrelid = i.indrelid
         and a.attnum = i.indkey[0]
                                       where i.indrelid = t.oid and a.attname = 'client_id') $$,
  'each has an index that begins with it');

-- policies

select is_empty(
  $$ select "table", role, count(*) from policies group by 1, 2 having count(*) > 1 $$,
  'one policy for a table and a role');
select is_empty($$ select "table", name from policies where role = 'public' $$, 'none to PUBLIC');
select is_empty(
  $$ select "table", name from policies where polcmd <> '*' or not polpermissive or "check" is null or qual is
      distinct from "check" $$,
  'each for all commands, with the same check for new rows');
select is_empty($$ select "table", name from policies where role not in (select rolname from pg_roles
    where rolname like 'portal\_%') $$,
  'none to a stranger');
select is_empty($$ select "table", name from policies where role in ('portal_web', 'portal_owner', 'portal_admin') $$,
  'none to workers, owner and administrator');
select is_empty(
  $$ select "table", name, qual from policies where qual = 'true'
      and not (role = 'portal_gate' or (role = 'portal_index' and "table" = 'search')) $$,
  '"true" for the gate, and for the index on the narrow table');
select is_empty(
  $$ select "table", name, qual from policies
     where qual <> 'true' and qual !~ '^\((client_id|id) = ANY \(\( SELECT (portal\.)?client_ids\(\) AS client_ids\)(::uuid\[\])?\)\)$' $$,
  'every other asks client_ids() and nothing else');
select is_empty(
  $$ select "table", name from policies where role like 'portal\_as\_%' and (qual = 'true' or ("table" <> 'client'
      and qual like '(id =%')) $$,
  'pages see the session''s clients only');
select is_empty(
  $$ select "table", role from policies p where role = 'portal_gate' and qual = 'true'
       and exists (select from tables t where t.name = p."table" and t.by_client)
       and "table" not in ('membership', 'portfolio', 'audit', 'document_count') $$,
  'of a client''s data the gate itself sees counts and the audit, and what says who may see what');

-- rights on tables

select is_empty(
  $$ select c.oid::regclass, p.p from relations c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p (p)
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and has_any_column_privilege('portal_web', c.oid, p.p) $$,
  'the workers may touch no column of any table');
select is_empty(
  $$ select c.oid::regclass from relations c
     where c.relkind in ('r', 'p') and has_table_privilege('portal_web', c.oid, 'DELETE, TRUNCATE, TRIGGER') $$,
  '… nor delete from one');
select is_empty(
  $$ select c.oid::regclass from relations c
     where case when c.relkind = 'S' then has_sequence_privilege('portal_web', c.oid, 'USAGE, SELECT, UPDATE') end $$,
  '… nor use a sequence');
select is_empty(
  $$ select c.relname, a.privilege_type from pg_class c, aclexplode(c.relacl) a
     where c.relnamespace in ('portal'::regnamespace, 'portal_site'::regnamespace) and a.grantee = 0 $$,
  'PUBLIC has no right on a table');
select is_empty(
  $$ select t.name, r.rolname from tables t, pg_roles r
     where r.rolname like 'portal\_%' and r.rolname <> 'portal_owner' and has_table_privilege(r.oid, t.oid,
         'TRUNCATE, TRIGGER, REFERENCES') $$,
  'nobody may truncate a table or put a trigger on it');
select is_empty(
  $$ select t.name, r.rolname from tables t, pg_roles r
     where r.rolname not in ('portal_owner', 'portal_gate', 'portal_admin') and r.rolname like 'portal\_%'
       and t.name in ('session', 'credential', 'device', 'attempt', 'limiter', 'secret', 'audit', 'person', 'staff',
           'membership', 'portfolio')
       and has_any_column_privilege(r.oid, t.oid, 'SELECT, INSERT, UPDATE') $$,
  'sessions, credentials and who may see what: the gate alone');
select is_empty(
  $$ select r.rolname from pg_roles r where r.rolname like 'portal\_%' and r.rolname <> 'portal_owner'
       and (has_any_column_privilege(r.oid, 'portal.audit', 'UPDATE') or has_table_privilege(r.oid, 'portal.audit',
           'DELETE, TRUNCATE')) $$,
  'the audit is append-only: no role may change it');
select is_empty(
  $$ select r.rolname, a.attname from pg_roles r, pg_attribute a
     where a.attrelid = 'portal.person'::regclass and a.attnum > 0 and r.rolname = 'portal_gate'
       and a.attname not in ('locale', 'theme') and has_column_privilege(r.oid, a.attrelid, a.attnum, 'UPDATE') $$,
  'of a person nothing but language and theme can be changed by a request');

-- functions

select is_empty($$ select f from ours where owner = 'portal_owner' $$, 'portal_owner owns no function');
select is_empty(
  $$ select f, owner from ours where definer
       and owner not in ('portal_gate', 'portal_as_client', 'portal_as_staff', 'portal_as_job', 'portal_index') $$,
  'SECURITY DEFINER: of the gate, of the pages'' roles and of the index only');
select is_empty(
  $$ select f, owner from ours where not definer and owner not in ('portal_gate', 'portal_as_client',
      'portal_as_staff',
       'portal_as_job', 'portal_index') and owner <> (select rolname from pg_roles where oid = (select datdba
           from pg_database
       where datname = current_database())) $$,
  'the others run as who calls them, and belong to one of these or to who installed them');
select is_empty(
  $$ select f, config from ours
     where not coalesce(config @> array[case schema when 'portal' then 'search_path=portal, pg_temp'
                                        else 'search_path=portal_site, portal, pg_temp' end], false) $$,
  'each pins its search_path, pg_temp last');
select is_empty(
  $$ select f, s from ours, unnest(config) s where s !~ '^(search_path|pg_trgm\.[a-z_]+)=' $$,
  '… and sets nothing else but thresholds of the search');
select is_empty($$ select f from ours where acl is null or exists (select from aclexplode(acl) a
    where a.grantee = 0) $$,
  'none can be called by PUBLIC');
select is_empty(
  $$ select f, l.lanname from ours o join pg_language l on l.oid = o.prolang where l.lanname <> 'plpgsql' $$,
  'all are plpgsql: planned once');
select is_empty(
  $$ select f from ours where name in ('call', 'session', 'file_grant') and not definer $$,
      'entry points are the gate''s');

-- the entry points are what the workers may call; this is the list of them
select set_eq(
  $$ select f from ours where has_function_privilege('portal_web', oid, 'EXECUTE') $$,
  $$ values ('portal.session(bytea,text)'),
            ('portal.call(bytea,text,text,text,json,text)'),
            ('portal.file_grant(bytea,text,uuid,text,text,text)'),
            ('portal.upload_check(bytea,text,bigint,text)'),
            ('portal.touch(bytea[])'),
            ('portal.refused(bytea,text,text,text,text)'),
            ('portal.still_granted(uuid,uuid)'),
            ('portal.sign_out(bytea,boolean)'),
            ('portal.sign_in_start(text,text,bytea,integer,integer,text)'),
            ('portal.sign_in_finish(uuid,text,bytea,bytea,bytea,bytea,text,text,integer[],integer[],text)'),
            ('portal.sign_in_rehash(bytea,bytea,bytea,integer,integer,bytea)') $$,
  'the workers may call the entry points and nothing else');
select is_empty(
  $$ select f from ours where has_function_privilege('portal_web', oid, 'EXECUTE') and owner <> 'portal_gate' $$,
  '… which the gate owns');
select is_empty(
  $$ select f from ours o where has_function_privilege('portal_web', oid, 'EXECUTE')
       and pg_get_function_result(oid) ilike '%verifier%' $$, 'none of them answers with a verifier');
select is_empty(
  $$ select o.f, r.rolname from ours o, pg_roles r
     where r.rolname in ('portal_as_client', 'portal_as_staff', 'portal_as_job', 'portal_index')
       and o.name in ('keyed', 'identify', 'may_see', 'resolve_client', 'shell', 'unread', 'page', 'sign_in_reserve',
                      'sign_in_release', 'sign_in_start', 'sign_in_finish', 'sign_in_rehash', 'session', 'call',
                        'file_grant', 'touch', 'sign_out',
                      'refused', 'dispatch')
       and has_function_privilege(r.oid, o.oid, 'EXECUTE') $$,
  'pages cannot call what the gate is made of');

-- the registry

select is_empty(
  $$ select x.name, fn from portal.page x, unnest(array[x.client_function, x.staff_function]) fn
     where fn is not null and to_regprocedure(fn || '(json)') is null $$,
  'each page has its functions');
select is_empty(
  $$ select x.name, fn from portal.page x, unnest(array[x.client_function, x.staff_function]) fn
     join ours o on o.oid = to_regprocedure(fn || '(json)')
     where not o.definer or not has_function_privilege('portal_gate', o.oid, 'EXECUTE') $$,
  '… SECURITY DEFINER, and callable by the gate');
select is_empty(
  $$ select x.name, o.f, o.owner from portal.page x
     join ours o on o.oid in (to_regprocedure(x.client_function || '(json)'),
         to_regprocedure(x.staff_function || '(json)'))
     where not (o.owner = 'portal_gate' and not x.needs_client)
       and o.owner <> case when o.oid = to_regprocedure(x.client_function
           || '(json)') then 'portal_as_client' else 'portal_as_staff' end $$,
  '… owned by the role of its kind; by the gate only where it is about no client');
select is_empty(
  $$ select x.name from portal.page x where x.access = 'client'
      and (x.staff_function is not null or x.client_function is null)
     union all
     select x.name from portal.page x where x.access in ('staff',
         'admin') and (x.client_function is not null or x.staff_function is null) $$,
  'a page of one kind has no function for the other');
select is_empty($$ select x.name, s.name from portal.page x join portal.page s on s.name = x.shows
    where s.shows is not null
                   or s.needs_client <> x.needs_client $$,
  'what is shown again needs a client where the page does');

-- triggers

select is_empty(
  $$ select t.tgname, p.proname from pg_trigger t join pg_proc p on p.oid = t.tgfoid
     where not t.tgisinternal and t.tgrelid::regclass::text like 'portal.%'
         and p.pronamespace <> 'portal'::regnamespace $$,
  'triggers are functions of ours');
select is_empty(
  $$ select t.tgrelid::regclass, t.tgname, t.tgenabled from pg_trigger t
     where not t.tgisinternal and t.tgrelid in (select oid from tables) and t.tgenabled not in ('O', 'A') $$,
  '… and enabled');

select * from finish();
rollback;
