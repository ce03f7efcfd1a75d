#!/usr/bin/perl

# Tests for queries that fail, are slow, or whose reader goes: each error has
# its page, nothing of a transaction that failed leaves the worker (T69), the
# pool is whole again (T01, T02, T45, T51 to T53).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
my $db = $t->db;

# pages of the test: whatever "do" says happens, after "s" seconds

$db->do(q{
    create function portal.slow(r json) returns json language plpgsql
    security definer as $$
    declare
      q json := coalesce(r -> 'query', '{}');
      how text := coalesce(q ->> 'do', r -> 'form' ->> 'do', '');
    begin
      perform pg_sleep(coalesce(q ->> 's', '0')::float);
      if how ~ '^[0-9A-Z]{5}$' then
        raise exception 'MARKsecret %', how using errcode = how;
      elsif how = 'kill' then
        perform pg_terminate_backend(pg_backend_pid());
        perform pg_sleep(1);
      elsif how = 'notice' then
        for i in 1 .. 500 loop raise warning 'MARKsecret %', i; end loop;
      elsif how ~ '^x[0-9]+$' then
        return json_build_object('text', repeat('x', substr(how, 2)::int));
      end if;
      return json_build_object('done', true);
    end $$});
$db->do(q{select portal.page('slow', access => 'any', client => 'portal.slow',
    staff => 'portal.slow', needs_client => false, owner => 'postgres')});

$t->run(workers => 2, database => 'pool=2 queue=20', pages => '
    portal_page GET  /slow slow access=any template=-;
    portal_page POST /slow slow access=any template=-;');

my @workers;
$t->wait_for(sub { @workers = $t->workers; @workers == 2 });
my $c = $t->client(as => 'owner');

sub ask {
    my ($query, $c) = @_;
    return ($c // $t->client(as => 'owner', timeout => 6))
        ->get("slow?$query", accept => 'json');
}

sub active {
    return $db->value(q{select count(*) from pg_stat_activity
        where usename = 'portal_web' and state <> 'idle'});
}

# The pool is as it was: idle, and it serves.
sub rested {
    my ($name) = @_;
    ok($t->wait_for(sub { active() == 0 }, 4), "$name: nothing runs");
    is($t->client(as => 'owner')->get('documents')->status, 200,
        "$name: a page");
    is(join(' ', $t->workers), "@workers", "$name: the same workers");
}

# errors

for ([ 'P0001', 500 ], [ '42P01', 500 ], [ '42501', 500 ], [ 'XX000', 500 ],
    [ '40001', 503 ], [ '40P01', 503 ], [ '55P03', 503 ], [ '57014', 503 ],
    [ '53300', 503 ], [ '53100', 503 ], [ '57P03', 503 ], [ '08006', 503 ],
    [ '22P02', 400 ], [ '23505', 409 ], [ '23P01', 409 ], [ '23503', 422 ],
    [ '23514', 422 ], [ 'PT403', 403 ], [ 'PT404', 404 ], [ 'PT409', 409 ],
    [ 'PT200', 500 ], [ 'PT999', 500 ], [ '26000', 500 ], [ '22012', 400 ])
{
    my ($state, $status) = @$_;

    for my $method (qw(GET POST)) {
        my $r = $method eq 'GET' ? ask("do=$state", $c)
            : $c->post('slow', { do => $state }, accept => 'json');
        is($r->status, $status, "$method, SQLSTATE $state");
        is($r->json->{status}, $status, "$method, $state: says so");
        unlike($r->body, qr/MARKsecret/, "$method, $state: not its text");
    }
}

is(scalar $t->logged(qr/MARKsecret/), 0, 'nor does the log say it');
ok($t->logged(qr/call "portal_call" failed with SQLSTATE 42P01/),
    'it says what failed');
rested('errors');

is(ask('do=kill')->status, 503, 'killed while it runs');
rested('killed');
is(ask('do=notice')->status, 200, 'a flood of notices');
is(scalar(grep { /MARKsecret/ } $t->read('stderr'), $t->error_log), 0,
    'of which nothing is told');

my $start = time;
is(ask('s=9')->status, 503, 'slower than the limit');
cmp_ok(time - $start, '<', 2.3, 'and told in time');
rested('slow');

$db->do(q{alter role portal_web in database portal
    set statement_timeout = '300ms'});
$db->do(q{select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'portal_web'});
$t->wait_for(sub { $c->get('documents')->status == 200 }, 3);
$start = time;
is(ask('s=2')->status, 503, 'statement_timeout');
cmp_ok(time - $start, '<', 1.5, 'and told then');
$db->do(q{alter role portal_web in database portal
    set statement_timeout = '2s'});
$db->do(q{select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'portal_web'});
$t->wait_for(sub { $c->get('documents')->status == 200 }, 3);

# a row, and only then the commit fails: it never was (T69)

$db->do(q{
    create function portal.boom() returns trigger language plpgsql as $$
    begin
      if new.theme = 'light' then
        raise exception 'MARKsecret' using errcode = '23514';
      elsif new.theme = 'dark' then
        perform pg_terminate_backend(pg_backend_pid());
        perform pg_sleep(1);
      end if;
      return null;
    end $$;
    create constraint trigger boom after update on portal.person
    deferrable initially deferred for each row execute function portal.boom()
});

for ([ light => qr/^(?:500|409)$/ ], [ dark => qr/^(?:500|503)$/ ]) {
    my ($theme, $status) = @$_;

    for my $accept ('', 'json') {
        my $r = $c->post('preferences', { theme => $theme, next =>
            'MARKnext' }, accept => $accept);
        like($r->status, $status, "commit fails ($theme $accept): status");
        ok(!defined $r->location && !$r->set_cookie('portal-main-flash'),
            "commit fails ($theme $accept): no redirect");
        unlike($r->body, qr/MARK|preferences_saved|"location"/,
            "commit fails ($theme $accept): nothing of the row");
    }
}

is($db->value("select theme from portal.person where id = ?",
    $t->id('owner')), 'auto', 'and nothing is written');
$db->do('drop trigger boom on portal.person');
$t->wait_for(sub { $c->get('documents')->status == 200 }, 3);

# answers of 20 kB and 1 MB, while the worker is busy with something else
# (paused, here): libpq reads what is there, not all that is there (T45)

for my $size (20_000, 200_000, 1_000_000) {
    for my $pause (0, 0.3) {
        $c->connect->send($c->bytes('GET', "slow?do=x$size&s=0.05",
            accept => 'json'));
        if ($pause) {
            sleep 0.02;
            kill STOP => @workers;
            sleep $pause;
            kill CONT => @workers;
        }
        my $r = $c->recv('GET');
        is(length($r->status == 200 ? $r->json->{text} : $r->body), $size,
            "$size bytes" . ($pause ? ', busy worker' : ''));
    }
}

# more than the pool and its queue take

my @all = map { my $c = $t->client(as => 'owner', timeout => 6);
    $c->get('documents'); $c } 1 .. 70;
$start = time;
$_->send($_->bytes('GET', 'slow?s=0.1', accept => 'json')) for @all;
my %status;
$status{ $_->recv('GET')->status }++ for @all;
is(join(' ', sort keys %status), '200 503', 'a full queue: '
    . join(', ', map { "$status{$_} of $_" } sort keys %status));
cmp_ok(time - $start, '<', 3, 'and nobody waits for long');
rested('a full queue');
$_->disconnect for @all;

# gone while something waits: a query, a sign-in, a file, a deposit

my ($d) = $t->documents('alpha');
my %ask = (
    query => sub { $_[0]->bytes('GET', 'slow?s=0.4') },
    session => sub { $_[0]->bytes('GET', 'documents') },
    'sign-in' => sub { my ($c) = @_;
        $c->bytes('POST', 'sign-in', type =>
            'application/x-www-form-urlencoded', body => Portal::Client::form(
            { csrf => $c->csrf, email => $t->email('owner'),
              password => $t->{password} })) },
    file => sub { $_[0]->bytes('GET', "documents/$d->{id}/file") },
    upload => sub { my ($c) = @_;
        $c->bytes('POST', 'documents', type => 'text/plain', body =>
            'x' x 20_000, headers => { 'X-Portal-Csrf' => $c->csrf,
            'X-Portal-File' => 'gone.txt' }) },
);

for my $what (sort keys %ask) {
    my $logged = grep { /^499 / } $t->access_log;

    for my $i (1 .. 50) {
        my $c = $t->client($what eq 'sign-in' ? () : (as => 'owner'));
        $c->connect->send($ask{$what}->($c));
        sleep 0.001 * (2 + ($i * 7) % 48) / ($what eq 'query' ? 1 : 4);
        $i % 3 ? $c->abort : $c->disconnect;
    }

    rested("gone: $what");
    my $n = grep({ /^499 / } $t->access_log) - $logged;
    cmp_ok($n, '>=', 40, "gone: $what: each is logged as 499")
        if $what eq 'query';
    note("gone: $what: $n of 50 logged as 499");
}

ok($t->wait_for(sub { !$t->temp_files }, 3), 'nothing in tmp/');
cmp_ok($db->value(q{select count(*) from pg_stat_activity
    where usename = 'portal_web'}), '<=', 5, 'no connection too many');

$t->done;
