#!/usr/bin/perl

# Tests for downloads as the store and the way out are: files that are
# missing, of another size, links; large ones, TLS, HTTP/2, threads, limits.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
my @ports = map { $t->free_port } 1 .. 5;

$t->run(servers => [
    { portals => [ {} ] },
    { port => $ports[0], tls => 1, http2 => 1, portals => [ {} ] },
    { port => $ports[1], server => 'aio threads;', portals => [ {} ] },
    { port => $ports[2], server => 'aio threads; directio 4k; sendfile off;',
        portals => [ {} ] },
    { port => $ports[3], portals => [ { portal => 'limit_rate 200k;' } ] },
    { port => $ports[4], server => 'sendfile off; output_buffers 1 4k;',
        portals => [ { portal => 'limit_rate 200k;' } ] },
]);

my @at = map { my $p = $_; sub { $t->client(as => 'owner', %$p, @_) } }
    @{ $t->{portals} };
my $c = $at[0]->();

sub document {
    my ($content, %o) = @_;
    return $t->db->document(client => 'alpha', content => $content, %o);
}

sub url { return "documents/$_[0]{id}/file" }

# what the store does not have as its row says

my $n = 0;

sub broken {
    my ($name, $spoil, $link) = @_;
    my $says = $link ? qr/of the store is a link/ : qr/of the store is missing/;
    my $d = document("content of $name");
    my $path = $t->stored($d->{hash});
    my $lines = $t->logged($says);

    $spoil->($path, $d);

    my $r = $c->get(url($d));
    is($r->status, $link ? 404 : 500, "$name: status");
    like($r->body, qr/<html lang="fr"/, "$name: a page");
    unlike($r->body, qr/root:|content of|MARK/, "$name: no byte of it");
    ok(!defined $r->header('ETag') && !defined
        $r->header('Content-Disposition'), "$name: nothing of its headers");

    my $level = $link ? 'alert' : 'crit';
    my ($line) = ($t->logged($says))[-1];
    like($line // '', qr/\[$level\].*\Q$path\E.*client: 127/,
        "$name: logged");
    is(scalar $t->logged($says), $lines + 1, "$name: once");

    $r = $c->get(url($d), accept => 'json');
    like($r->header('Content-Type'), qr{^application/problem\+json},
        "$name: as JSON");
    like($r->json->{instance}, qr/^[0-9a-f]{32}$/, "$name: its reference");
    return $d;
}

my ($secret) = $t->documents('bravo');

broken('missing', sub { unlink $_[0] });
broken('shorter', sub { truncate $_[0], 3 });
broken('empty', sub { truncate $_[0], 0 });
broken('longer', sub { open my $fh, '>>', $_[0]; print $fh 'more' });
# a link is nothing of ours (S-51), and somebody has to look at it
$t->allow(qr/of the store is a link/);
broken('link', sub { unlink $_[0]; symlink '/etc/passwd', $_[0] }, 1);
broken('link to a file of the same size', sub {
    my ($path, $d) = @_;
    unlink $path;
    symlink $t->write('html/other', 'x' x $d->{size}), $path;
}, 1);
broken('link to another client', sub {
    my ($path, $d) = @_;
    unlink $path;
    symlink $t->stored($secret->{hash}), $path;
    $t->db->do('update portal.document set size = ? where id = ?',
        $secret->{size}, $d->{id});
}, 1);
broken('folder that is a link', sub {
    my ($path) = @_;
    my ($folder) = $path =~ m{^(.*)/};
    rename $folder, "$t->{dir}/html/elsewhere$n";
    symlink "$t->{dir}/html/elsewhere$n", $folder;
    $n++;
}, 1);
broken('folder', sub { unlink $_[0]; mkdir $_[0] });
broken('pipe', sub { unlink $_[0]; POSIX::mkfifo($_[0], 0666) });
broken('unreadable', sub { chmod 0, $_[0]; chown 0, 0, $_[0] }) if $> == 0;

# a name that is no hash never becomes a path

ok(!eval { $t->db->document(client => 'alpha', hash => 'ab' x 31); 1 },
    'a hash of 31 bytes is no hash');

# open files are cached: withdrawn all the same, and gone in time

my $d = document('cached');
is($c->get(url($d))->body, 'cached', 'cached') for 1 .. 3;
unlink $t->stored($d->{hash});
is($c->get(url($d))->status =~ /^(?:200|500)$/ ? 1 : 0, 1, 'still the same');
$t->db->do('update portal.document set withdrawn_at = now() where id = ?',
    $d->{id});
ok($t->wait_for(sub { $c->get(url($d))->status == 404 }, 2),
    'withdrawn while cached');

$d = document('late', content => undef, hash => sha256_hex('late'),
    size => 4);
is($c->get(url($d))->status, 500, 'not there yet');
$t->store($d->{hash}, 'late');
is($c->get(url($d))->body, 'late', 'its absence was not remembered');

# large: three gigabytes, most of which are a hole

my $gib = 1 << 30;
$d = document(undef, hash => sha256_hex('large'), size => 3 * $gib + 7);
my $path = $t->store($d->{hash}, '');
truncate $path, 3 * $gib + 7 or die "truncate: $!";
open my $fh, '+<', $path or die "$path: $!";
seek $fh, 3 * $gib, 0;
print $fh "the end";
close $fh;

for my $i (0 .. $#at) {
    my $c = $at[$i]->();
    my $r = $c->head(url($d));
    is($r->header('Content-Length'), 3 * $gib + 7, "server $i: 3 GiB");

    for ([ 'bytes=-9', "\0\0the end", 3 * $gib - 2 ],
        [ 'bytes=' . (3 * $gib) . '-', 'the end', 3 * $gib ],
        [ 'bytes=2147483640-2147483655', "\0" x 16, 2147483640 ],
        [ 'bytes=4294967290-', undef ])
    {
        my ($range, $bytes, $from) = @$_;
        $r = $c->get(url($d), headers => { Range => $range });

        if (defined $bytes) {
            is($r->body, $bytes, "server $i: $range");
            like($r->header('Content-Range'), qr{^bytes $from-\d+/3221225479},
                "server $i: its place");

        } else {
            is($r->status, 416, "server $i: $range");
        }
    }
}

$c->connect->send($c->bytes('GET', url($d)));
sleep 0.1;
$c->abort;
is($c->get('documents')->status, 200, 'given up while it is sent');

# ways out: the same bytes

my $big = join '', map { pack 'N', $_ * 2654435761 % 4294967296 }
    1 .. 500_000;
$d = document($big);

for my $i (0 .. 5) {
    my $r = $i < 4 ? $at[$i]->()->get(url($d)) : undef;
    ok($r->body eq $big, "server $i: two megabytes") if $r;
    $r = $at[$i]->()->get(url($d), headers => { Range => 'bytes=7-123456' });
    ok($r->body eq substr($big, 7, 123450), "server $i: a range");
}

my $slow = $at[4]->();
my $start = time;
is(length $slow->get(url($d), headers => { Range => 'bytes=0-499999' })
    ->body, 500_000, 'limit_rate: whole');
cmp_ok(time - $start, '>', 1, 'limit_rate: slowly');

# HTTP/2

my $h2 = $at[1]->();
my $name = $h2->cookie_name('') . '=' . $h2->cookie('');
my $url = "https://127.0.0.1:$ports[0]" . $h2->url(url($d));

SKIP: {
    my $version = $t->curl('-w', '%{http_version}', '-o', '/dev/null',
        $url);
    skip 'no curl with HTTP/2', 7 if ($version // '') ne '2';

    my @h2 = ('--http2', '-H', "Cookie: $name");
    ok($t->curl(@h2, $url) eq $big, 'HTTP/2: two megabytes');
    ok($t->curl(@h2, '-r', '7-123456', $url) eq substr($big, 7, 123450),
        'HTTP/2: a range');
    like($t->curl(@h2, '-I', $url), qr/^HTTP\/2 200.*^etag: "/ms,
        'HTTP/2: HEAD');
    like($t->curl(@h2, '-i', '-H', 'If-None-Match: *', $url),
        qr/^HTTP\/2 304/, 'HTTP/2: condition');
    like($t->curl(@h2, '-i', '-H', 'If-Match: "x"', $url),
        qr/^HTTP\/2 412.*<html lang/s, 'HTTP/2: condition not met');
    like($t->curl(@h2, '-i', '-r', '9999999-', $url),
        qr/^HTTP\/2 416.*<html lang/s, 'HTTP/2: beyond the end');
    is($t->curl(@h2, '--max-time', '0.05', '--limit-rate', '1k', $url)
        ? 1 : 0, 1, 'HTTP/2: given up');
}

# cut short while it is sent: the connection ends, nobody waits

$t->allow(qr{was truncated at|pread\(\) read only});

for my $i (4, 5) {
    $d = document($i . $big);
    my $c = $at[$i]->();
    $c->connect->send($c->bytes('GET', url($d)));
    sleep 0.1;
    truncate $t->stored($d->{hash}), 1000;
    ok($c->recv('GET')->cut, "server $i: truncated while it is sent");
}

is(scalar $t->workers, 2, 'workers');
is(scalar(grep { /exited/ } $t->logged(qr/worker process/)), 0,
    'the same as before');

$t->done;
