#!/usr/bin/perl

# Tests for request bodies over HTTP/2: without a length, beyond a limit,
# behind an answer, and streams that are reset (S-50, T03, T16, T18).

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;
use Time::HiRes qw(time sleep);

my $t = Portal::Test->new;
$t->run(http2 => 1, portal => 'client_max_body_size 500m;',
    pages => 'portal_page POST /small document_deposit access=client
              action=upload template=documents/index body=100k;',
    workers => 1);

my $h = $t->h2;
my $form = { 'content-type' => 'application/x-www-form-urlencoded' };
my ($s, $start);

is($h->answer($h->open('GET', 'sign-in'))->{status}, 200, 'page');
is($h->answer($h->open('HEAD', 'sign-in'))->{status}, 200, 'HEAD');
is($h->answer($h->open('GET', 'nothing'))->{status}, 404, 'no page');
is($h->answer($h->open('FOO', 'sign-in'))->{status}, 405, 'method');

# a body of somebody unknown: answered at once, nothing on disk

for (
    [ 'documents', {}, 401 ], [ 'documents', { 'content-length' => 3e8 },
        401 ], [ 'preferences', $form, 401 ], [ 'sign-in', $form, 411 ],
    [ 'sign-in', { %$form, 'content-length' => 3e8 }, 413 ],
) {
    my ($path, $headers, $status) = @$_;

    $start = time;
    $s = $h->open('POST', $path, $headers, end => 0);
    is($h->status($s), $status, "/$path, "
        . ($headers->{'content-length'} ? 'long' : 'no length'));
    cmp_ok(time - $start, '<', $t->slack(1), 'at once');

    $h->data($s, 'x' x 200000);
    ok($h->alive, 'what follows is discarded');
    $h->reset($s);
}

is_deeply([ $t->temp_files ], [], 'nothing on disk');
is($h->answer($h->open('GET', 'sign-in'))->{status}, 200, 'goes on');

# with a session

$h = $t->h2(as => 'owner');
my $csrf = $h->{client}->csrf;
my %token = ('x-portal-csrf' => $csrf);
my %file = (%token, 'x-portal-file' => 'a.txt',
    'content-type' => 'text/plain');

is($h->answer($h->open('POST', 'preferences', { %token }))->{status}, 303,
    'END_STREAM with HEADERS');

my $body = "theme=dark&csrf=$csrf";
$s = $h->open('POST', 'preferences', { %$form,
    'content-length' => length $body }, end => 0);
$h->data($s, substr $body, 0, 3);
$h->data($s, substr($body, 3), end => 1);
is($h->answer($s)->{status}, 303, 'form in two frames');

$s = $h->open('POST', 'preferences', { %$form, 'content-length' => 200 },
    end => 0);
$h->data($s, $body, end => 1);
is($h->answer($s)->{status} // 'reset', 400, 'shorter than its length');

$s = $h->open('POST', 'preferences', { %$form, 'content-length' => 5 },
    end => 0);
$h->data($s, $body, end => 1);
like($h->answer($s)->{status} // 'reset', qr/^(?:400|reset)$/,
    'longer than its length');
ok($h->alive, 'goes on');

# uploads

$s = $h->open('POST', 'documents', { %file }, end => 0);
$h->data($s, "no length\n", end => 1);
is($h->answer($s)->{status}, 303, 'upload without a length');

$s = $h->open('POST', 'documents', { %file }, end => 0);
$h->data($s, 'y' x 300000, end => 1);
is($h->answer($s)->{status}, 303, 'larger than the windows');

$s = $h->open('POST', 'documents', { %file }, end => 0);
$h->data($s, "line\n") for 1 .. 5;
$h->data($s, '', end => 1);
is($h->answer($s)->{status}, 303, 'END_STREAM in a frame of its own');

$s = $h->open('POST', 'small', { %file }, end => 0);
$h->data($s, 'y' x 102401, end => 1);
my $r = $h->answer($s);
is($r->{status}, 413, 'beyond the limit of the page');
like($r->{body}, qr/<main.*413/s, 'in our page');
is_deeply([ $t->temp_files ], [], 'nothing is left');

$s = $h->open('POST', 'documents', { %file }, end => 0);
$h->data($s, 'y' x 50000);
$h->reset($s);
ok($h->alive, 'reset inside an upload');
ok($t->wait_for(sub { !$t->temp_files }), 'nothing is left');

is($t->db->value('select count(*) from portal.document where deposited'), 3,
    'documents of the whole ones');

# T03: a stream is reset while PostgreSQL is asked, another goes on

my ($pid) = $t->workers;
my $db = $t->db;

for my $round (1 .. 5) {
    $db->dbh->begin_work;
    $db->do('lock table portal.category');

    my $one = $h->open('GET', 'documents');
    my $two = $h->open('GET', 'documents');
    ok($h->alive, 'both wait');
    $h->reset($one);
    ok($h->alive, 'one is reset');
    $db->dbh->commit;

    is($h->answer($two)->{status}, 200, 'the other is answered');
    like($two && $h->answer($two)->{body}, qr/MARKalpha0/, 'by its own page');
}

ok($t->wait_for(sub {
    !$db->value(q{select count(*) from pg_stat_activity
        where usename = 'portal_web' and state <> 'idle'})
}), 'no query is left');

is_deeply([ $t->workers ], [ $pid ], 'the same worker');

# many at once

my @streams = map { $h->open('GET', 'documents') } 1 .. 60;
is(scalar(grep { ($h->answer($_)->{status} // 0) == 200 } @streams), 60,
    'sixty at once');

$h->open('GET', 'documents') for 1 .. 20;
$h->close;
$h = $t->h2(as => 'owner');
is($h->answer($h->open('GET', 'documents'))->{status}, 200,
    'after twenty that were left');

$h->close;
$t->done;
