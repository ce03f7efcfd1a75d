#!/usr/bin/perl

# Tests for requests that come, and answers that are taken, a byte at a
# time (S-72): sign-in, list, download, deposit.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new;
my $big = join '', map { "line $_ of a document that is longer\n" } 1 .. 1500;

my $d = $t->db->document(client => 'alpha', title => 'Big', name => 'big.txt',
    content => $big);

$t->run(portal => 'postpone_output 0; output_buffers 2 1k;
                   client_body_buffer_size 1k;');

my @slow = (write => 1, read => 1);
my ($c, $r);

# sign-in

$c = $t->client;
$r = $c->get('sign-in', @slow);
is($r->status, 200, 'page of the sign-in');
like($r->body, qr{</html>\s*\z}, 'its whole body');

$r = $c->post('sign-in', { email => $t->email('owner'),
    password => $t->{password} }, csrf => $r->hidden->{csrf}, @slow);
is($r->status, 303, 'sign-in');
is($c->get($r->location, @slow)->status, 303, 'start page');

$r = $t->client->sign_in('owner', 'wrong', @slow);
is($r->status, 401, 'wrong password');
like($r->body, qr{</html>\s*\z}, 'its whole body');

# list

my $plain = $c->get('documents');
$r = $c->get('documents', @slow);
is($r->status, 200, 'list');
is(length $r->body, length $plain->body, 'its whole body');
is($c->get('documents', accept => 'json', @slow)->json->{all}, 6, 'as JSON');
is($c->get('nothing', @slow)->status, 404, 'no page');
is($c->head('documents', @slow)->status, 200, 'HEAD');

# forms

is($c->post('preferences', { theme => 'dark' }, @slow)->status, 303, 'form');
is($c->post_json('preferences', { theme => 'auto' }, @slow)->status, 200,
    'JSON');
is($c->post('preferences', {}, csrf => undef, @slow)->status, 403,
    'no token');

# download: written through a small window

$c = $t->client(as => 'owner', rcvbuf => 8192);
$r = $c->get("documents/$d->{id}/file", write => 1, read => 700);
is($r->status, 200, 'download');
ok($r->body eq $big, 'its bytes');

$r = $c->get("documents/$d->{id}/file", read => 1,
    headers => { Range => 'bytes=1000-4999' });
is($r->status, 206, 'range');
ok($r->body eq substr($big, 1000, 4000), 'its bytes');

# deposits

$c = $t->client(as => 'owner');
my $text = substr $big, 0, 3000;

$r = $c->upload('documents', $text, name => 'raw.txt', @slow);
is($r->status, 303, 'raw deposit');
is(deposited('raw.txt'), $text, 'its bytes');

$r = $c->upload('documents', $text, name => 'chunks.txt', chunked => 11,
    @slow);
is($r->status, 303, 'deposit in chunks');
is(deposited('chunks.txt'), $text, 'its bytes');

$r = $c->post_multipart('documents', [ [ files => $text, 'form.txt' ],
    [ files => 'b,c', 'form.csv' ] ], @slow);
is($r->status, 303, 'deposit by a form');
is(deposited('form.txt'), $text, 'its bytes');
is(deposited('form.csv'), 'b,c', 'and of the second');

# refused on the way

is($t->client->upload('documents', $text, @slow)->status, 401, 'anonymous');
is($t->client(as => 'reader')->upload('documents', $text, @slow)->status,
    403, 'reader');
is($c->upload('documents', $text, csrf => 'x' x 64, @slow)->status, 403,
    'wrong token');

is_deeply([ $t->temp_files ], [], 'nothing is left');

$t->done;


# What the store has of the document of that name.
sub deposited {
    my ($name) = @_;
    my $hash = $t->db->value(q{select encode(hash, 'hex')
        from portal.document where name = ?}, $name) // return undef;
    return $t->read($t->stored($hash));
}
