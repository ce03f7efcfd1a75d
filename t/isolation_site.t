#!/usr/bin/perl

# A site's page functions are SQL of somebody else: whatever they leave on
# their connection, the next request on it finds nothing of it (S-42, T73).
# One worker, one connection.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $db = $t->db;

# what they do, one at a time; {bob} is what bob's session is known by

my %leave = (
    nothing => 'null',
    identity => q{set_config('portal.session', '{bob}', false)},
    client => q{set_config('portal.client', '{bravo}', false)},
    locale => q{set_config('portal.locale', 'en', false)},
    path => q{set_config('search_path', 'portal_site, pg_temp', false)},
    zone => q{set_config('TimeZone', 'Asia/Tokyo', false)},
    dates => q{set_config('DateStyle', 'SQL, DMY', false)},
    timeout => q{set_config('statement_timeout', '0', false)},
    read_only => q{set_config('default_transaction_read_only', 'on', false)},
    encoding => q{set_config('client_encoding', 'LATIN1', false)},
    bytea => q{set_config('bytea_output', 'escape', false)},
    plans => q{set_config('enable_indexscan', 'off', false)},
    rows => q{set_config('row_security', 'off', false)},
    name => q{set_config('application_name', 'portal', false)},
    lock => 'pg_advisory_lock(4711)',
    shared => 'pg_advisory_lock_shared(4711)',
    listen => q{execute: listen leftover},
    prepare => q{execute: prepare leftover as select 1},
    # under a name of ours: it would be run in place of our statement
    ours => q{execute: deallocate all},
    cursor => q{execute: declare leftover cursor with hold for select 1},
    role => q{execute: set role none},
    session => q{execute: set session authorization default},
    temporary => q{execute: create temporary table session (a integer)},
    load => q{execute: load 'plpgsql'},
);

my %session = map { $_ => $t->session_for($_) } qw(bob owner);
my $bob = unpack 'H*', $t->{keys}->hash($session{bob});

for my $name (sort keys %leave) {
    my $code = $leave{$name};
    $code =~ s/\{bob\}/$bob/;
    $code =~ s/\{bravo\}/$t->id('bravo')/e;
    my $does = $code =~ s/^execute: // ? "execute \$x\$$code\$x\$;"
        : "perform $code;";

    # … and says nothing, does not find it, fails, or takes its time
    for my $case ([ '', q{return '{"left":true}';} ],
        [ absent => 'return null;' ],
        [ refused => 'return portal.refuse(409);' ],
        [ shown => q{return portal.refuse(422, '{"a":"b"}');} ],
        [ error => q{raise exception 'of the site';} ],
        [ slow => q{perform pg_sleep(0.3); return '{}';} ],
        [ late => q{perform pg_sleep(3); return '{}';} ])
    {
        my ($how, $end) = @$case;
        my $f = "left_$name" . ($how ? "_$how" : '');
        $db->do("create function portal_site.$f(r json) returns json
            language plpgsql as \$\$ begin $does $end end \$\$");
        $db->value("select portal.page('$f', access => 'public',
            client => 'portal_site.$f', needs_client => false,
            shows => 'home')");
    }
}

# what is there, as the next one sees it

$db->do(q{create function portal_site.probe(r json) returns json
    language plpgsql as $$
begin
    return json_build_object('pid', pg_backend_pid(),
        'settings', (select json_object_agg(name, setting) from pg_settings
            where name in ('TimeZone', 'DateStyle', 'statement_timeout',
                'default_transaction_read_only', 'client_encoding',
                'bytea_output', 'enable_indexscan', 'row_security',
                'lock_timeout', 'plan_cache_mode')),
        'ours', (select json_object_agg(s, current_setting('portal.' || s,
            true)) from unnest(array['session', 'client', 'locale',
            'flash', 'location']) s),
        'locks', (select count(*) from pg_locks where pid = pg_backend_pid()
            and locktype = 'advisory'),
        'listens', (select count(*) from pg_listening_channels()),
        'statements', (select json_agg(name order by name)
            from pg_prepared_statements where name !~ '^portal_'),
        'cursors', (select count(*) from pg_cursors where is_holdable),
        'tables', (select count(*) from pg_class where relpersistence = 't'
            and pg_my_temp_schema() = relnamespace),
        'user', session_user, 'person', portal.person_name(),
        'clients', portal.client_ids());
end $$});
$db->value(q{select portal.page('probe', access => 'public',
    client => 'portal_site.probe', needs_client => false)});

$t->run(workers => 1, database => 'pool=1',
    pages => join "\n", map {
            "portal_page GET /$_ $_ access=public template=-;"
            . " portal_page POST /$_ $_ access=public;" }
        map({ my $n = $_; ("left_$n", map { "left_${n}_$_" }
            qw(absent refused shown error slow late)) } sort keys %leave),
        'probe');

my $c = $t->client;
my $probe = sub {
    my $r = $c->get('probe', accept => 'json');
    return $r->status == 200 ? $r->json : { failed => $r->status };
};
my $clean = $probe->();
my $pid = delete $clean->{pid};

is($clean->{user}, 'portal_web', 'the probe sees the workers\' connection');
is($clean->{settings}{statement_timeout}, '2000', '… with its settings');
is($clean->{locks} + $clean->{listens} + $clean->{cursors}, 0, '… clean');

my $json = JSON::PP->new->canonical->pretty;

sub same {
    my ($now, $name) = @_;
    delete $now->{pid};
    is($json->encode($now), $json->encode($clean), "$name: nothing is left");
    return;
}

my $owner = $t->client;
$owner->set_cookie('', $session{owner});

for my $name (sort keys %leave) {
    for my $method (qw(get post)) {
        for my $how ('', qw(absent refused shown error slow)) {
            my $path = "left_$name" . ($how ? "_$how" : '');

            # what is slow is left by its visitor
            if ($how eq 'slow') {
                my $gone = $t->client;
                $gone->connect;
                $gone->send($gone->bytes(uc $method, $path));
                select undef, undef, undef, 0.05;
                $gone->abort;
                $t->wait_for(sub { !$db->value(q{select count(*) from
                    pg_stat_activity where usename = 'portal_web'
                    and state = 'active' and query like '%portal.call%'}) });

            } else {
                $c->$method($path, $method eq 'post' ? {} : (),
                    accept => 'json');
            }

            same($probe->(), "$method $path");
        }
    }

    my $r = $owner->get('documents');
    ok($r->status == 200 && $r->body =~ /MARKalpha/
        && $r->body !~ /MARKbravo|Bob Bravo/,
        "left_$name: alice is alice afterwards");
    is($db->value(q{select count(*) from pg_locks
        where locktype = 'advisory'}), 0, "left_$name: no lock is held");
}

# what is longer than a statement may be, and one who waits behind it

for my $name (qw(identity lock listen read_only)) {
    my $slow = $t->client;
    $slow->connect;
    $slow->send($slow->bytes('POST', "left_${name}_late",
        headers => { Accept => 'application/json' }));
    my $next = $t->client;
    my $r = $next->get('probe', accept => 'json');

    if ($r->status == 200) {
        same($r->json, "behind left_${name}_late");

    } else {
        is($r->status, 503, "behind left_${name}_late: no connection");
    }

    isnt($slow->recv('POST')->status, 200, "left_${name}_late ends");
    $t->wait_for(sub { ($probe->()->{pid} // 0) > 0 }, 5);
    same($probe->(), "after left_${name}_late");
}

# several at once on the one connection: each waits until it is clean

for (1 .. 5) {
    my @clients = map { $t->client } 1 .. 8;

    for my $i (0 .. $#clients) {
        my $path = $i % 2 ? 'probe'
            : 'left_' . (qw(identity lock listen prepare))[$i / 2];
        $clients[$i]->connect;
        $clients[$i]->send($clients[$i]->bytes('GET', $path,
            headers => { Accept => 'application/json' }));
    }

    my @answers = map { $_->recv('GET') } @clients;
    my @bad = grep { my $r = $answers[$_]; $r->status != 200 || do {
        my $now = $r->json; delete $now->{pid};
        $json->encode($now) ne $json->encode($clean) } }
        grep { $_ % 2 } 0 .. $#answers;
    is("@bad", '', "eight at once, round $_");
}

# a page of ours that shows one of the site's again

$db->do(q{create function portal_site.ours_again(r json) returns json
    language plpgsql as $$ begin
    perform pg_advisory_lock(4712),
        set_config('TimeZone', 'Asia/Tokyo', false);
    return '{}'; end $$});
$db->value(q{select portal.page('documents', access => 'any',
    client => 'portal_site.ours_again',
    staff => 'portal.documents_as_staff')});
is($owner->post_multipart('documents', [ [ files => '', '', 'text/plain' ] ])
    ->status, 422, 'a page of ours shows one of the site\'s again');
same($probe->(), 'that');

$t->done;
