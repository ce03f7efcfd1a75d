#!/usr/bin/perl

# Tests for the body of a deposit on its way: cut at every place, in chunks,
# slowly, before the answer is waited for; what follows it on a connection.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Digest::SHA qw(sha256_hex);
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
$t->run(portal => 'client_max_body_size 8m;');

my $db = $t->db;
my $c = $t->client(as => 'owner');
my %raw = (type => 'application/octet-stream', accept => 'json');

sub count { return $db->value('select count(*) from portal.document') }
sub stored {
    return grep { !m{/tmp/} } split /\n/, qx{find '$t->{dir}/files' -type f};
}

# What was cut has been noticed: nothing is in tmp/, and stays so.
sub quiet {
    my $n = 0;
    return $t->wait_for(sub {
        $n = $t->temp_files ? 0 : $n + 1;
        sleep 0.1;
        return $n >= 4;
    }, 10);
}

sub head {
    my ($c, $name, %o) = @_;
    return $c->bytes('POST', 'documents', %raw, %o, headers => {
        'X-Portal-Csrf' => $c->csrf, 'X-Portal-File' => $name,
        %{ $o{headers} // {} } });
}

# Every row has its file, whole; returns how many documents there are.
sub whole {
    my ($name) = @_;
    my @rows = $db->rows(q{select encode(hash, 'hex') as hex, size
        from portal.document});
    is(join(' ', grep { sha256_hex($t->read($t->stored($_))) ne $_ }
        map { $_->{hex} } @rows), '', "$name: every row has its file");
    return scalar @rows;
}

# cut at 4 KiB and beside it, by a close and by a reset

my $mib = join '', map { pack 'N', $_ * 2654435761 % 4294967296 }
    1 .. 262_144;
my ($rows, $files) = (count(), scalar stored());
my $bytes = head($c, 'cut.txt', body => $mib);
my $form = $c->bytes('POST', 'documents', accept => 'json',
    type => 'multipart/form-data; boundary=b',
    body => Portal::Client::multipart('b', [ csrf => $c->csrf ],
        [ files => $mib, 'cut.txt' ]));
my @offsets = map { ($_ * 4096 - 1, $_ * 4096, $_ * 4096 + 1) } 0 .. 256;
my $cuts = 0;

for my $whole ($bytes, $form) {
    my $start = index($whole, "\r\n\r\n") + 4;

    for my $i (0 .. $#offsets) {
        my $n = $start + $offsets[$i];
        next if $n >= length $whole || $n < 0;
        next if $whole eq $form && $i % 5;
        $c->connect->send(substr $whole, 0, $n);
        $i % 2 ? $c->abort : $c->disconnect;
        $cuts++;
    }
}

ok(quiet(), "$cuts cut: nothing in tmp/");
is(count(), $rows, 'no row');
is(scalar stored(), $files, 'nothing in the store');

for (1 .. 30) {
    my $whole = head($c, 'cut.txt', body => substr($mib, 0, 90_000),
        chunked => 8000);
    $c->connect->send(substr $whole, 0, 700 + $_ * 2900);
    $_ % 2 ? $c->abort : $c->disconnect;
}

ok(quiet(), 'chunks cut: nothing in tmp/');
is(count(), $rows, 'no row of them');

# the whole body, but nobody waits for the answer

for (1 .. 60) {
    $c->connect->send(head($c, "gone$_.txt", body => "gone $_\n"));
    sleep rand 0.012;
    $_ % 2 ? $c->abort : $c->disconnect;
}

ok(quiet(), 'gone: nothing in tmp/');
my $kept = whole('gone') - $rows;
cmp_ok($kept, '<=', 60, "gone: $kept of 60 were kept nevertheless");

# in chunks

for my $size (1, 7, 4096, 1_000_000) {
    my $body = substr $mib, 0, $size == 1 ? 500 : 300_000;
    my $r = $c->upload('documents', $body =~ s/\0/-/gr, name => 'a.zip',
        chunked => $size, accept => 'json');
    is($r->status, 422, "in chunks of $size: refused by its type");
    $r = $c->upload('documents', unpack('H*', $body), name => 'a.txt',
        chunked => $size, accept => 'json');
    is($r->status, 200, "in chunks of $size");
}

my ($big) = ('x' x 1_000_000) x 1;
$c->connect->send(head($c, 'a.txt', chunked => 1000, body => 'x') =~
    s/\r\n\r\n.*/\r\n\r\n/sr);
$c->send(sprintf "%x\r\n%s\r\n", length $big, $big) for 1 .. 9;
my $r = $c->recv('POST');
is($r->status, 413, 'chunks over the limit');
is($r->header('Content-Security-Policy') ? 1 : 0, 1, 'with our headers');
$c->disconnect;
$r = $c->upload('documents', 'x' x 8_400_000, chunked => 100_000);
is($r->status, 413, 'chunks over the limit, all sent before it is read');
like($r->text, qr/trop lourd/, 'the page says why');
$r = $c->upload('documents', 'x' x 8_400_000);
is($r->status, 413, 'a length over the limit, all sent before it is read');
like($r->text, qr/8,4\xc2\xa0Mo/, 'the page says how much it may be');

for my $bad ("x\r\n", "5\r\nabc", "-1\r\n", "fffffffffffffffff\r\n",
    "3\r\nabcdef\r\n")
{
    $c->connect->send(head($c, 'a.txt', chunked => 10) =~
        s/\r\n\r\n.*/\r\n\r\n$bad/sr);
    $c->send("0\r\n\r\n") if $bad =~ /def/;
    $bad =~ /abc$/ ? $c->disconnect : is($c->recv('POST')->status,
        400, 'malformed chunk ' . $bad =~ s/\s.*//sr);
    $c->disconnect;
}

ok($t->wait_for(sub { !$t->temp_files }, 5), 'refused: nothing in tmp/');

# byte by byte, and with boundaries that are none

my $near = join '', map { "\r\n--portaltestboundar$_\r\n--portaltest\r\r\n-" }
    'x', '', "\r", '-', 'z';
$r = $c->post_multipart('documents', [ [ files => "b\n$near\0", 'a.zip' ],
    [ files => '', '' ] ], write => 1, accept => 'json', read => 1);
is($r->status, 422, 'byte by byte: refused');
$r = $c->post_multipart('documents', [ [ files => "c\n$near", 'a.txt' ],
    [ files => "d\n", 'd.txt' ] ], write => 1, accept => 'json');
is($r->status, 200, 'byte by byte');

for my $pad (262_144 - 200 .. 262_144 - 160, 524_288 - 190 .. 524_288 - 180) {
    my $content = 'p' x $pad . $near;
    $r = $c->post_multipart('documents', [ [ files => $content, 'p.txt' ] ],
        accept => 'json');
    is($r->status, 200, "boundary at $pad") if $r->status != 200;
}

whole('boundaries');

# the connection is good for what follows

$c = $t->client(as => 'owner');
my $socket;

for ([ 200, body => "k\n" ], [ 422, body => '' . "\0" ], [ 403, body => "k\n",
    headers => { 'X-Portal-Csrf' => 'x' } ], [ 400, body => "k\n",
    headers => { 'X-Portal-File' => '' } ], [ 422 ], [ 200, body => "k\n",
    chunked => 1 ])
{
    my ($status, %o) = @$_;
    $c->connect if !$c->{socket};
    $socket //= $c->{socket};
    $c->send(head($c, 'k.txt', body => '', %o)
        . $c->bytes('GET', 'documents'));
    is($c->recv('POST')->status, $status, "keep-alive: $status");
    is($c->recv('GET')->status, 200, "the next after $status");
}

is($c->{socket}, $socket, 'one connection for all of them');
$r = $c->request('POST', 'documents', %raw, http => '1.0', body => "old\n",
    headers => { 'X-Portal-Csrf' => $c->csrf, 'X-Portal-File' => 'o.txt' });
is($r->status, 200, 'HTTP/1.0');

# Expect: only those are asked to go on who may

my %expect = (headers => { Expect => '100-continue' });
$c->connect->send(head($c, 'e.txt', body => "expected\n", %expect) =~
    s/expected\n$//r);
is($c->recv('POST', interim => 1)->status, 100, 'asked to go on');
$c->send("expected\n");
is($c->recv('POST')->status, 200, 'and then kept');
my $nobody = $t->client;
$nobody->connect->send(head($nobody, 'e.txt', body => "expected\n", %expect)
    =~ s/expected\n$//r);
is($nobody->recv('POST', interim => 1)->status, 401, 'nobody is not asked');
$nobody->disconnect;

# somebody unknown: nothing of 30 MB reaches the disk, however it comes

for my $chunked (0, 1) {
    my $c = $t->client;
    $c->connect->send(head($c, 'a.txt', chunked => 9, headers => $chunked
        ? {} : { 'Transfer-Encoding' => undef,
        'Content-Length' => 7_900_000 }) =~ s/\r\n\r\n.*/\r\n\r\n/sr);
    my $most = 0;

    for (1 .. 30) {
        last if !$c->send($chunked ? sprintf "%x\r\n%s\r\n", length $big, $big
            : substr $big, 0, 250_000);
        my @temp = $t->temp_files;
        $most = @temp if @temp > $most;
    }

    is($most, 0, "nobody, chunked $chunked: nothing in tmp/");
    is($c->recv('POST')->status, 401, 'and the answer is read all the same');
}

$t->done;
