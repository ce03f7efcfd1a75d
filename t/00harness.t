#!/usr/bin/perl

# Tests for the harness itself: what the others rely on works.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new(statements => 1);
$t->run;

# anonymous, and a real sign-in by the page's own form

my $c = $t->client;
is($c->get('sign-in')->status, 200, 'page of the sign-in');
like($c->cookie('pre'), qr/^[\w-]{54}$/, 'cookie of the form');

my $r = $c->sign_in('owner', undef, page => 1);
is($r->status, 303, 'signed in');
like($c->cookie(''), qr/^[\w-]{54}$/, 'session cookie');
is($c->get('documents')->status, 200, 'list after a sign-in');

is($t->client->sign_in('owner')->status, 303, 'form token made in Perl');

# sessions made in SQL, for each of the seed

for my $who (qw(owner reader bob empty)) {
    is($t->client(as => $who)->get('documents')->status, 200, "list: $who");
}

for my $who (qw(both admin manager collaborator)) {
    my $path = 'c/alpha/documents';
    is($t->client(as => $who)->get($path)->status, 200, "alpha: $who");
}

is($t->client(as => 'disabled')->get('documents')->status, 303,
    'disabled person');

# documents with their files

for my $d ($t->documents('alpha')) {
    $r = $t->client(as => 'owner')->get("documents/$d->{id}/file");
    is($r->body, $d->{content}, "file of $d->{title}");
}

like($t->client(as => 'owner')->get('documents')->body, qr/MARKalpha0/,
    'list of alpha');
is(scalar $t->documents('bravo'), 30, 'documents of bravo');

# ways to send

$c = $t->client(as => 'owner');
is($c->post('preferences', { theme => 'dark' })->status, 303, 'form');
is($c->post_json('preferences', { theme => 'light' })->status, 200, 'JSON');
is($t->db->value('select theme from portal.person where id = ?',
    $t->id('owner')), 'light', 'row changed');

$r = $c->upload('documents', "hello\n", name => 'été.txt');
is($r->status, 303, 'raw upload');
$r = $c->post_multipart('documents', [ [ files => "a,b\n", 'b.csv' ] ]);
is($r->status, 303, 'multipart');
$r = $c->upload('documents', 'x' x 5000, name => 'x.txt', chunked => 700);
is($r->status, 303, 'chunked');
is($c->get('documents', write => 1, read => 1)->status, 200, 'byte by byte');
is($c->get('documents', accept => 'json')->json->{total}, 8, 'as JSON');
is($c->get('documents', close => 1)->header('Connection'), 'close', 'close');

# counts of what the workers asked

my $before = $t->db->calls->{call};
$c->get('documents');
is($t->db->calls->{call}, $before + 1, 'statements counted');

# aborted, then used again

$c->connect->send($c->bytes('GET', 'documents'));
$c->abort;
is($c->get('documents')->status, 200, 'after an abort');

# backends, checksum, reload

my $echo = IO::Socket::INET->new("127.0.0.1:" . $t->echo);
print $echo "GET / HTTP/1.0\r\nX-A: b\r\n\r\n";
like(join('', <$echo>), qr/ECHO\nGET.*X-A: b/s, 'echo');

my $sum = $t->db->checksum;
is($t->db->checksum, $sum, 'checksum stays');
$t->db->do("update portal.client set name = 'x' where slug = 'bravo'");
isnt($t->db->checksum, $sum, 'checksum changes');

ok($t->reload, 'reload');
is($c->get('documents')->status, 200, 'after a reload');
is(scalar $t->workers, 2, 'workers');

# nginx -t

my ($ok, $output) = $t->check(name => 'UPPER');
ok(!$ok, 'nginx -t');
like($output, qr/invalid portal name "UPPER".* in .*check\.conf:\d+/,
    'its message');

$t->done;
