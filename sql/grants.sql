-- Who may call what: nobody but those named here.

do $$
declare
  f record;
begin
  for f in
    select p.oid::regprocedure as signature
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('portal', 'portal_site')
      and (p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0))
  loop
    execute format('revoke all on function %s from public', f.signature);
  end loop;

  -- the owner of a function keeps what the revocation took from everybody
  for f in
    select p.oid::regprocedure as signature, r.rolname
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner
    where n.nspname in ('portal', 'portal_site')
  loop
    execute format('grant execute on function %s to %I', f.signature, f.rolname);
  end loop;
end
$$;

-- the entry points
grant execute on function
  portal.session(bytea, text),
  portal.call(bytea, text, text, text, json, text),
  portal.file_grant(bytea, text, uuid, text, text, text),
  portal.upload_check(bytea, text, bigint, text),
  portal.touch(bytea[]),
  portal.still_granted(uuid, uuid),
  portal.refused(bytea, text, text, text, text),
  portal.sign_out(bytea, boolean),
  portal.sign_in_start(text, text, bytea, integer, integer, text),
  portal.sign_in_finish(uuid, text, bytea, bytea, bytea, bytea, text, text, integer[], integer[], text),
  portal.sign_in_rehash(bytea, bytea, bytea, integer, integer, bytea)
to portal_web;

-- how much of it was refused: sign_in.sql
grant select (id, at, action, person_id) on portal.audit to portal_gate;

-- what page functions are made with
grant execute on function
  portal.plain(text), portal.initials(text), portal.avatar(uuid), portal.phone_href(text),
  portal.local_time(timestamptz), portal.uuid_or_null(text), portal.uuid_v7(),
  portal.client(), portal.client_ids(), portal.person_id(), portal.client_slug(uuid), portal.preset(),
  portal.locale(), portal.person_name(),
  portal.redirect(text, text), portal.refuse(integer, json),
  portal.audit_add(text, uuid, text, text, uuid), portal.quota_take(integer, bigint)
to portal_gate, portal_as_client, portal_as_staff, portal_as_job;

grant execute on function portal.plain(text), portal.client(), portal.client_ids() to portal_index;

-- what the gate's functions call among themselves
grant execute on function
  portal.email_key(text), portal.sign_in_wait(integer, integer)
to portal_gate;

-- the administrator
grant execute on function portal.page(text, text, text, text, boolean, text, text), portal.email_key(text),
  portal.plain(text), portal.initials(text), portal.avatar(uuid), portal.uuid_v7(), portal.unlock(text)
to portal_admin;
