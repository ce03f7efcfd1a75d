-- Sign-in by password.  PostgreSQL completes the check: the worker gets salt
-- and parameters, computes argon2id, and gives the output back; verifiers
-- never leave.  The attempt is reserved before anything is computed, in a
-- transaction of its own, so that parallel guesses count.
--
-- Unknown, wrong, locked, disabled: the same calls, the same work, the same
-- word "refused".

-- What a failure costs: five are free (ten in a known browser), then the
-- wait grows.  By how many there were in a row.
create or replace function portal.sign_in_wait(failures integer, free integer) returns interval
language plpgsql immutable set search_path = portal, pg_temp
as $$
begin
  return case when failures < free then interval '0'
              else make_interval(mins => (array[1, 2, 4, 8, 15])[least(failures - free + 1, 5)]) end;
end
$$;

-- Counts one attempt of the key and says whether it may be evaluated.
-- free: failures in a row without a wait; most: evaluated in a window at
-- most; last: in a row, after which nothing is evaluated any more, as long as
-- the row is kept: its time is set 88 days ahead, so that what is older than
-- two days goes (sign_in_start), whichever it is.
create or replace function portal.sign_in_reserve(k bytea, free integer, most integer, period interval, last integer)
returns boolean
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  l portal.limiter;
begin
  insert into portal.limiter (key) values (k) on conflict (key) do nothing;
  select * into l from portal.limiter x where x.key = k for update;

  if l.since + period < now() then
    l.since := now();
    l.counted := 0;
  end if;

  if l.until > now() or l.counted >= most or l.failures >= last then
    return false;
  end if;

  l.failures := l.failures + 1;
  l.counted := l.counted + 1;
  -- no wait is none: now() of an attempt made at the same time may be earlier
  l.until := now() + nullif(portal.sign_in_wait(l.failures, free), interval '0');

  if l.failures = last then
    l.since := now() + interval '88 days';
  end if;

  update portal.limiter x set failures = l.failures, counted = l.counted, since = l.since, until = l.until
  where x.key = k;
  return true;
end
$$;
alter function portal.sign_in_reserve(bytea, integer, integer, interval, integer) owner to portal_gate;

-- It was no failure after all.
create or replace function portal.sign_in_release(k bytea) returns void
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
begin
  update portal.limiter x set failures = 0, until = null, counted = greatest(x.counted - 1, 0) where x.key = k;
end
$$;
alter function portal.sign_in_release(bytea) owner to portal_gate;

-- Begins a sign-in.
--
--   p_email     as typed;  p_network  the network's key (32 hex digits)
--   p_device    hash of the browser's token, or NULL
--   p_ops, p_mem_kib  what a new hash is made with: also for an unknown
--               address, whose false salt is always the same
--
-- Answers the attempt's id, salt and parameters; or retry: the seconds that
-- this network has to wait.
create or replace function portal.sign_in_start(p_email text, p_network text, p_device bytea, p_ops integer,
                                                p_mem_kib integer, p_nonce text)
returns table (nonce text, attempt uuid, salt bytea, ops integer, mem_kib integer, retry integer)
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  e text := portal.email_key(p_email);
  a portal.attempt;
  c portal.credential;
  disabled boolean;
  known boolean;
begin
  nonce := p_nonce;
  retry := 0;

  -- what is over goes, a few at a time; nobody waits for another's sweep
  delete from portal.attempt x
  where x.id in (select y.id from portal.attempt y
                 where y.created_at < now() - interval '10 minutes' limit 20 for update skip locked);
  delete from portal.limiter x
  where x.key in (select y.key from portal.limiter y
                  where y.since < now() - interval '2 days' limit 20 for update skip locked);

  -- NULL: a visitor without an address (a socket in the file system)
  a.network_key := portal.keyed('attempt', 'network:' || p_network);

  if a.network_key is not null
     and not portal.sign_in_reserve(a.network_key, 1000000, 40, interval '10 minutes', 1000000)
  then
    select ceil(extract(epoch from x.since + interval '10 minutes' - now()))::integer into retry
    from portal.limiter x where x.key = a.network_key;
    retry := greatest(retry, 1);
    return next;
    return;
  end if;

  select p.id, p.disabled_at is not null into a.person_id, disabled
  from portal.person p where p.email_key = e;

  select * into c from portal.credential x where x.person_id = a.person_id;

  -- a browser that this person signed in with before has a count of its own
  known := p_device is not null
           and exists (select from portal.device d
                       where d.token_hash = p_device and d.person_id = a.person_id
                         and d.created_at > now() - interval '90 days');

  if known then
    a.account_key := portal.keyed('attempt', 'device:' || encode(p_device, 'hex') || ':' || e);
    a.blocked := not portal.sign_in_reserve(a.account_key, 10, 50, interval '24 hours', 100);
  else
    a.account_key := portal.keyed('attempt', 'account:' || e);
    a.blocked := not portal.sign_in_reserve(a.account_key, 5, 25, interval '24 hours', 100);
  end if;

  a.id := gen_random_uuid();
  a.email_hash := portal.keyed('attempt', 'email:' || e);

  if c.person_id is null or disabled then
    a.blocked := true;
  end if;

  insert into portal.attempt (id, email_hash, person_id, blocked, account_key, network_key)
  values (a.id, a.email_hash, a.person_id, a.blocked, a.account_key, a.network_key);

  attempt := a.id;
  salt := coalesce(c.salt, substr(portal.keyed('salt', e), 1, 16));
  ops := coalesce(c.ops, p_ops);
  mem_kib := coalesce(c.mem_kib, p_mem_kib);
  return next;
end
$$;
alter function portal.sign_in_start(text, text, bytea, integer, integer, text) owner to portal_gate;

-- Ends a sign-in: 'ok' and the session is open, or 'refused'.
--
--   p_output    argon2id of what was typed;  p_token  hash of the new token
--   p_old       hash of the token that the browser had, or NULL: it ends
--   p_device    hash of the browser's token, or of a new one
--   p_idle, p_absolute  limits of the session, seconds: {client, staff}
create or replace function portal.sign_in_finish(p_attempt uuid, p_email text, p_output bytea, p_token bytea, p_old bytea,
                                                 p_device bytea, p_ip text, p_agent text, p_idle integer[],
                                                 p_absolute integer[], p_nonce text)
returns table (nonce text, status text)
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  a portal.attempt;
  c portal.credential;
  p portal.person;
  i integer;
begin
  nonce := p_nonce;
  status := 'refused';

  -- used once, whatever comes of it
  delete from portal.attempt x where x.id = p_attempt returning * into a;

  select * into c from portal.credential x where x.person_id = a.person_id;
  select * into p from portal.person x where x.id = a.person_id;

  perform portal.identify(null);
  perform set_config('portal.ip', coalesce(left(p_ip, 64), ''), true);

  if a.id is null
     or a.created_at < now() - interval '2 minutes'
     or a.email_hash is distinct from portal.keyed('attempt', 'email:' || portal.email_key(p_email))
     or a.blocked
     or p.id is null or p.disabled_at is not null
     or c.verifier is null
     or c.verifier is distinct from sha256(p_output)
  then
    insert into portal.audit (action, result, person_id, detail, ip)
    values ('sign_in', 'refused', p.id, case when a.blocked and p.id is not null then 'blocked' else '' end,
            coalesce(left(p_ip, 64), ''));
    return next;
    return;
  end if;

  -- in the order in which a start takes them
  perform portal.sign_in_release(a.network_key);
  perform portal.sign_in_release(a.account_key);

  -- a new token at every sign-in: the one that the browser came with ends
  delete from portal.session x where x.token_hash = p_old;
  delete from portal.session x
  where x.id in (select y.id from portal.session y where y.person_id = p.id order by y.last_seen desc offset 9);

  i := case when p.kind = 'staff' then 2 else 1 end;

  insert into portal.session (token_hash, person_id, idle, absolute_end, ip, agent)
  values (p_token, p.id, p_idle[i], now() + make_interval(secs => p_absolute[i]), coalesce(left(p_ip, 64), ''),
          coalesce(left(p_agent, 255), ''));

  if p_device is not null then
    insert into portal.device as d (token_hash, person_id) values (p_device, p.id)
    on conflict (token_hash) do update set person_id = excluded.person_id, last_seen = now(), created_at = now();
    delete from portal.device d
    where d.token_hash in (select y.token_hash from portal.device y
                           where y.person_id = p.id order by y.last_seen desc offset 20);
  end if;

  perform set_config('portal.session', encode(p_token, 'hex'), true);
  perform portal.audit_add('sign_in');

  status := 'ok';
  return next;
end
$$;
alter function portal.sign_in_finish(uuid, text, bytea, bytea, bytea, bytea, text, text, integer[], integer[], text)
  owner to portal_gate;

-- After a sign-in, where the stored hash is weaker than new ones are: the same
-- password, hashed anew.  It is of the person of this session, if the output
-- of the hash so far is right, once more.
create or replace function portal.sign_in_rehash(p_token bytea, p_output bytea, p_salt bytea, p_ops integer,
                                                 p_mem_kib integer, p_new bytea)
returns boolean
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  who portal.identity := portal.identify(p_token);
begin
  update portal.credential x
  set ops = p_ops, mem_kib = p_mem_kib, salt = p_salt, verifier = sha256(p_new), updated_at = now()
  where x.person_id = who.person_id and x.verifier = sha256(p_output) and p_new is not null;
  return found;
end
$$;
alter function portal.sign_in_rehash(bytea, bytea, bytea, integer, integer, bytea) owner to portal_gate;

-- What is refused to a person is kept, sixty times a minute: who asks for what
-- is not there, as fast as can be, fills no disk.  Of the rest nothing is
-- written; the last one that is says so.
create or replace function portal.audit_refused() returns trigger
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  n integer;
begin
  select count(*) into n
  from (select a.action, a.at from portal.audit a
        where a.person_id = new.person_id order by a.id desc limit 200) x
  where x.action = 'refused' and x.at > clock_timestamp() - interval '1 minute';

  if n >= 60 then
    return null;
  elsif n = 59 then
    new.detail := left(new.detail, 450) || ' (more of this minute are not kept)';
  end if;

  return new;
end
$$;
alter function portal.audit_refused() owner to portal_gate;

create or replace trigger audit_refused before insert on portal.audit
  for each row when (new.action = 'refused' and new.person_id is not null) execute function portal.audit_refused();

-- For the administrator: somebody's failures are forgotten, who was locked
-- out by a stranger.  How many counters there were.
create or replace function portal.unlock(p_email text) returns integer
language plpgsql volatile security definer set search_path = portal, pg_temp
as $$
declare
  n integer;
begin
  delete from portal.limiter x
  where x.key = portal.keyed('attempt', 'account:' || portal.email_key(p_email));
  get diagnostics n = row_count;
  return n;
end
$$;
alter function portal.unlock(text) owner to portal_gate;
