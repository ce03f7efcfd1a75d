#!/usr/bin/perl

# Tests for PostgreSQL that is not there (S-76): absent at the start, stopped,
# paused, restarted, full.  Who needs it is told so within two seconds, by a
# page of ours; what does not need it goes on; it comes back by itself.
#
# A bug that was found here: libpq closes the socket of a server that is gone,
# and taking it off epoll afterwards was an alert each time.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new(settings => { max_connections => 60 });
my $postgres = "$t->{dir}/db";
my @stopped;

sub cluster {
    my ($action, @args) = @_;
    my $command = $t->top . "/tools/cluster $action '$postgres' @args";
    system("$command >/dev/null 2>&1") == 0 or die "$command failed";
}

sub pg_stop {
    my ($mode) = @_;
    $_->disconnect for values %{ $t->{dbs} };
    $t->{dbs} = {};
    cluster('stop', $mode // 'immediate');
}

sub pg_start { cluster('start', 'fsync=off', 'max_connections=60') }

sub pg_pids {
    my ($pid) = $t->read('db/pg/postmaster.pid') =~ /^(\d+)/ or return;
    return ($pid, split ' ', $t->read("/proc/$pid/task/$pid/children"));
}

sub pg_pause {
    @stopped = pg_pids();
    kill STOP => @stopped;
}

sub pg_go_on {
    kill CONT => @stopped;
    @stopped = ();
}

END { kill CONT => @stopped if @stopped }

my $who = $t->session_for('owner');
my $asset;

$t->write('html/static.txt', 'a file of the site');

sub signed_in {
    my $c = $t->client(timeout => 6, @_);
    return $c->set_cookie('', $who);
}

# 503 of a page, a form, an upload, a download, a sign-in, each in time; they
# are asked for all at once.
sub refused {
    my ($name, $most) = @_;
    my ($d) = $t->documents('alpha');
    my $nobody = $t->client(timeout => 6);
    my %c = map { $_ => signed_in() } qw(page JSON form file upload);
    my %form = (type => 'application/x-www-form-urlencoded');
    my %bytes = (
        page => [ 'GET', 'documents' ],
        JSON => [ 'GET', 'documents', accept => 'json' ],
        file => [ 'GET', "documents/$d->{id}/file" ],
        form => [ 'POST', 'preferences', %form, body =>
            Portal::Client::form({ csrf => $c{form}->csrf,
                theme => 'dark' }) ],
        upload => [ 'POST', 'documents', type => 'text/plain',
            body => "never\n", headers => { 'X-Portal-File' => 'a.txt',
                'X-Portal-Csrf' => $c{upload}->csrf } ],
        'sign-in' => [ 'POST', 'sign-in', %form, body =>
            Portal::Client::form({ csrf => $nobody->csrf, password =>
                $t->{password}, email => $t->email('owner') }) ],
    );

    $c{'sign-in'} = $nobody;
    my $start = time;
    $c{$_}->connect->send($c{$_}->bytes(@{ $bytes{$_} })) for keys %bytes;

    for my $what (sort keys %bytes) {
        my $r = $c{$what}->recv($bytes{$what}[0]);
        my $took = time - $start;
        my $own = $what eq 'JSON'
            ? qr/^\{"type":"about:blank".*"status":503/
            : qr/<html lang="fr".*<h1>/s;

        is($r->status, 503, "$name: $what");
        cmp_ok($took, '<', $most // 2.1, "$name: $what, seconds");
        like($r->header('Retry-After'), qr/^[1-9]\d*$/,
            "$name: $what: when to come again");
        like($r->body, $own, "$name: $what: our own look");
        unlike($r->body, qr/PostgreSQL|socket|SQLSTATE/i,
            "$name: $what: no word of why");
    }
}

sub goes_on {
    my ($name) = @_;
    my $c = $t->client;
    is($c->get('sign-in')->status, 200, "$name: page of the sign-in");
    is($c->get($asset)->status, 200, "$name: asset");
    is($c->get('/static.txt')->body, 'a file of the site', "$name: site");
    is($c->get('documents')->status, 303, "$name: nobody");
    is($c->get('nowhere')->status, 404, "$name: absent page");
}

# Seconds until a page works.
sub recovery {
    my ($name, $most) = @_;
    my $start = time;
    my $ok = $t->wait_for(sub {
        my $r = signed_in()->get('documents');
        $r->status == 200 && $r->body =~ /MARKalpha0/;
    }, 10);
    cmp_ok(time - $start, '<', $most // 2.1, "$name: works again in time");
    return $ok;
}

# Seconds of processor time that the workers have used.
sub cpu {
    my $ticks = 0;

    for ($t->workers) {
        my @f = split ' ', $t->read("/proc/$_/stat") =~ s/^.*\) //sr;
        $ticks += $f[11] + $f[12];
    }

    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

sub idle {
    my ($name) = @_;
    my $before = cpu();
    sleep 1.5;
    cmp_ok((cpu() - $before) / 1.5, '<', 0.1, "$name: no busy loop");
}

sub probe {
    my ($c, @times) = ($t->client);

    for (1 .. 200) {
        my $start = time;
        $c->get('/static.txt');
        push @times, 1000 * (time - $start);
        sleep 0.002;
    }

    return (sort { $a <=> $b } @times)[197];
}

# absent when nginx starts

pg_stop();
$t->run(database => 'pool=3', workers => 2);
my @workers;
$t->wait_for(sub { @workers = $t->workers; @workers == 2 });
($asset) = $t->client->get('sign-in')->body
    =~ /href="([^"]+portal\.[^"]+\.css)"/;

refused('absent at start');
goes_on('absent at start');
idle('absent at start');
pg_start();
recovery('absent at start');
is($t->client->sign_in('owner')->status, 303, 'a sign-in works too');

# stopped at once, with connections and cached sessions

my $alone = probe();
signed_in()->get('documents') for 1 .. 10;
pg_stop('immediate');
refused('stopped');
goes_on('stopped');
idle('stopped');

my @busy = map { my $c = signed_in(); $c->connect; $c } 1 .. 20;
$_->send($_->bytes('GET', 'documents')) for @busy;
my $beside = probe();
is(join(' ', map { $_->recv('GET')->status } @busy), join(' ', (503) x 20),
    'twenty at once');
note(sprintf 'static file, p99: %.2f ms, beside an outage %.2f ms', $alone,
    $beside);
# a worker that waited for PostgreSQL would take 1.8 s; the ratio is the benchmark's
cmp_ok($beside, '<', 2 * $alone + 1000, 'static file, p99 beside an outage');

pg_start();
recovery('stopped');

# restarted while pages are asked for: 200 or 503, and soon 200 again

my %seen;
pg_stop('fast');
pg_start();
my $until = time + 1;
$seen{ signed_in()->get('documents')->status }++ while time < $until;
is(join(' ', grep { !/^(?:200|503)$/ } keys %seen), '', 'restarted');
recovery('restarted');

# paused: the sockets are open and nobody answers

signed_in()->get('documents') for 1 .. 5;
pg_pause();
refused('paused', 2.3);
goes_on('paused');
idle('paused');
pg_go_on();
recovery('paused');

# nothing more than the pool has, however many ask

$t->db->do('alter role portal_web connection limit 2');
$t->db->do(q{select pg_terminate_backend(pid) from pg_stat_activity
    where usename = 'portal_web'});

my (@got, $most);
@busy = map { my $c = signed_in(); $c->connect; $c } 1 .. 30;
$_->send($_->bytes('GET', 'documents')) for @busy;
@got = map { $_->recv('GET')->status } @busy;
is(join(' ', grep { $_ != 200 && $_ != 503 } @got), '',
    'too many connections: ' . grep({ $_ == 200 } @got) . ' of 30 served');

$t->db->do('alter role portal_web connection limit -1');
recovery('too many connections');
sleep 2.5;                      # the other worker waits for no longer

@busy = map { my $c = signed_in(); $c->connect; $c } 1 .. 40;
$_->send($_->bytes('GET', 'documents')) for @busy;
$most = 0;

for (1 .. 10) {
    my $n = $t->db->value(q{select count(*) from pg_stat_activity
        where usename = 'portal_web'});
    $most = $n if $n > $most;
    sleep 0.01;
}

is(join(' ', map { $_->recv('GET')->status } @busy), join(' ', (200) x 40),
    'forty at once');
cmp_ok($most, '<=', 7, "never above the pools and the listener: $most");

is(join(' ', $t->workers), "@workers", 'the same workers all the time');
is(scalar $t->logged(qr/password|user=|dbname=/), 0,
    'nothing of the connection string in the log');

# an outage may last: it is told when it begins and when it ends
my $lines = $t->logged(qr/\[(?:error|warn)\].*PostgreSQL/);
cmp_ok($lines, '<', 40, "$lines errors in the log about PostgreSQL");
ok($t->logged(qr/\[notice\].*PostgreSQL answers again/), 'and its end');
$t->done;
