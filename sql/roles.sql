-- The roles of a portal and what each may do to its database as a whole.
-- Run by a superuser at every migration; safe to run again.
--
--   portal_owner       owns schema and tables, does nothing at request time
--   portal_gate        owns the entry points; alone reads sessions, credentials
--   portal_as_client   owns the page functions of clients
--   portal_as_staff    owns the page functions of staff
--   portal_as_job      owns the functions of jobs
--   portal_index       owns the functions that find candidates of a search
--   portal_web         the workers: may call the entry points, nothing else
--   portal_admin       the administrator's command

do $$
declare
  r text;
begin
  foreach r in array array['portal_owner', 'portal_gate', 'portal_as_client', 'portal_as_staff', 'portal_as_job', 'portal_index']
  loop
    if not exists (select from pg_roles where rolname = r) then
      execute format('create role %I nologin', r);
    end if;
    execute format('alter role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication', r);
  end loop;

  if not exists (select from pg_roles where rolname = 'portal_web') then
    create role portal_web login;
  end if;
  alter role portal_web nosuperuser nobypassrls nocreatedb nocreaterole noreplication;

  if not exists (select from pg_roles where rolname = 'portal_admin') then
    create role portal_admin login;
  end if;
  alter role portal_admin nosuperuser bypassrls nocreatedb nocreaterole noreplication;
end
$$;

-- Words are compared and searched without their accents, which needs a
-- database that knows letters.
do $$
begin
  if current_setting('server_version_num')::integer < 150000 then
    raise exception 'the portal needs PostgreSQL 15 or newer';
  end if;

  if current_setting('server_encoding') <> 'UTF8'
     or (select datctype in ('C', 'POSIX') from pg_database
         where datname = current_database())
  then
    raise exception 'the portal needs a database of encoding UTF8 and of a locale that is not C: '
                    'createdb --encoding=UTF8 --locale=C.UTF-8 --template=template0 NAME';
  end if;
end
$$;

-- Nobody but those named here; no temporary table that could stand in front
-- of one of ours.
do $$
begin
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to portal_web, portal_admin', current_database());

  -- A session of the workers: what is slow or forgotten ends by itself.  The
  -- statements are few and prepared once, one plan each serves all clients.
  execute format('alter role portal_web in database %I set statement_timeout = %L', current_database(), '2s');
  execute format('alter role portal_web in database %I set lock_timeout = %L', current_database(), '1s');
  execute format('alter role portal_web in database %I set idle_in_transaction_session_timeout = %L', current_database(), '5s');
  execute format('alter role portal_web in database %I set client_connection_check_interval = %L', current_database(), '500ms');
  execute format('alter role portal_web in database %I set jit = off', current_database());
  execute format('alter role portal_web in database %I set plan_cache_mode = force_generic_plan', current_database());
  -- what the pages read is in memory, and their plans are made once
  execute format('alter role portal_web in database %I set random_page_cost = 1.1', current_database());
  execute format('alter role portal_web in database %I set log_parameter_max_length = 0', current_database());
  execute format('alter role portal_web in database %I set log_parameter_max_length_on_error = 0', current_database());
end
$$;

revoke all on schema public from public;

create schema if not exists portal authorization portal_owner;
create schema if not exists portal_site authorization portal_owner;
create schema if not exists portal_ext;

create extension if not exists pg_trgm schema portal_ext;
create extension if not exists unaccent schema portal_ext;

revoke all on schema portal, portal_site, portal_ext from public;
grant usage on schema portal to portal_gate, portal_as_client, portal_as_staff, portal_as_job, portal_index, portal_web, portal_admin;
grant usage on schema portal_site to portal_gate, portal_as_client, portal_as_staff, portal_as_job, portal_admin;
grant usage on schema portal_ext to portal_owner, portal_gate, portal_as_client, portal_as_staff, portal_as_job, portal_index, portal_admin;
