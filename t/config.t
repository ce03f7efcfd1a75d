#!/usr/bin/perl

# Tests for nginx -t: every mistake that can be found without a database is
# found, and its message names file and line.

use FindBin;
use lib "$FindBin::Bin/lib";
use Portal::Test;

my $t = Portal::Test->new(db => 0);
my $dir = $t->dir;
my ($ok, $said) = $t->check;

ok($ok, 'what all tests run with') or diag($said);
like($said, qr/\[warn\].*"secure=off".*anybody.*in \S+check\.conf:\d+/,
    'warning of secure=off');
is(scalar(() = $said =~ /\[warn\]/g), 1, 'and no other');

($ok, $said) = $t->check(secure => 1);
ok($ok, 'with TLS in front') or diag($said);
unlike($said, qr/\[warn\]/, 'no warning');

# directives of a named portal

wrong('name', { name => 'Main' }, qr/invalid portal name "Main"/);
wrong('long name', { name => 'a' x 33 }, qr/invalid portal name/);
wrong('name with a hyphen', { name => 'a-b' }, qr/invalid portal name/);
wrong('zone size', { zone => 'x' }, qr/invalid zone size "x"/);
wrong('small zone', { zone => '1000k' }, qr/"main" is too small: 1m/);
wrong('zone parameter', { zone => '4m sesions=40' },
    qr/invalid parameter "sesions=40"/);
wrong('zone share', { zone => '4m sessions=0' }, qr/invalid share "sessions/);
wrong('zone shares', { zone => '4m sessions=60' },
    qr/shares of zone "main" make 120 percent/);
wrong('pool', { database => 'pool=0' }, qr/invalid parameter "pool=0"/);
wrong('queue', { database => 'queue=x' }, qr/invalid parameter "queue=x"/);
wrong('time-out', { database => 'query_timeout=0' },
    qr/invalid parameter "query_timeout=0"/);
wrong('parameter', { database => 'pol=4' }, qr/invalid parameter "pol=4"/);

for my $directive (qw(portal_zone portal_database portal_key_file)) {
    my ($line) = $t->conf =~ /^\s+($directive .*)$/m;
    wrong("$directive twice", { http => $line }, qr/is duplicate/);

    my $text = $t->conf(error_log => "$dir/check.log");
    $text =~ s/^\s+$directive .*$//m;
    ($ok, $said) = $t->check(text => $text);
    ok(!$ok, "no $directive");
    like($said, qr/portal "main" has no "$directive" in \S+check\.conf:\d+/,
        'named');
}

# conninfo: libpq's message, and never the password

for (
    [ 'no conninfo', 'host=/x dbname=d user=u pasword=hunter2' ],
    [ 'quote', "host=/x user='u password=hunter2" ],
    [ 'URI', 'postgresql://u:hunter2@[/d' ],
    [ 'service', 'service=x password=hunter2' ],
    [ 'no host', 'dbname=d user=u password=hunter2' ],
    [ 'empty', '' ],
) {
    my ($what, $conninfo) = @$_;
    wrong("conninfo: $what", { conninfo => $conninfo },
        qr/database of portal "main": /, qr/hunter2/);
    wrong("listen: $what", { database => "\"listen=$conninfo\"" },
        qr/database of portal "main": /, qr/hunter2/) if $what ne 'empty';
}

# the key file

for (
    [ 'is not there', undef, 0600, qr/open\(\) ".*key2" failed/ ],
    [ 'read by others', 'ab' x 32, 0640, qr/can be read by others/ ],
    [ 'read by all', 'ab' x 32, 0604, qr/can be read by others/ ],
    [ 'empty', '', 0600, qr/no key in ".*key2"/ ],
    [ 'short', 'ab' x 31, 0600, qr/a key is not 64 hex digits in ".*":1/ ],
    [ 'no hex', 'xy' x 32, 0600, qr/a key is not 64 hex digits in ".*":1/ ],
    [ 'wrong second line', "# key\n" . 'ab' x 32 . "\nzz\n", 0600,
        qr/not 64 hex digits in ".*":3/ ],
    [ 'three keys', join("\n", ('ab' x 32) x 3), 0600,
        qr/more than two keys in ".*":3/ ],
) {
    my ($what, $text, $mode, $message) = @$_;
    unlink "$dir/key2";

    if (defined $text) {
        $t->write('key2', $text);
        chmod $mode, "$dir/key2";
    }

    wrong("key file: $what", { key => "$dir/key2" }, $message, qr/abab|xyxy/);
}

$t->write('key2', "# two\n\n" . 'ab' x 32 . "\n" . 'cd' x 32 . "\n");
chmod 0400, "$dir/key2";
right('two keys', { key => "$dir/key2" });

# the location

my $portal = qr/needs a prefix location whose name ends with "\/"/;

wrong('exact location', { modifier => '=' }, $portal);
wrong('regex location', { modifier => '~' }, $portal);
wrong('no slash at its end', { mount => '/espace' }, $portal);
wrong('named location', { modifier => '', mount => '@portal/' }, qr/./);
wrong('twice', { portal => 'portal main http://x/espace-client/;' },
    qr/"portal" directive is duplicate/);
wrong('base URL', { base => 'ftp://x/espace-client/' },
    qr/invalid base URL "ftp:/);
wrong('base URL without a path', { base => 'http://x' },
    qr/invalid base URL "http:/);
wrong('base URL of another mount', { base => 'http://x/portal/' },
    qr{base URL "http://x/portal/"|/espace-client/});
wrong('base URL without its slash', { base => 'http://x/espace-client' },
    qr/espace-client/);
wrong('plain base URL', { secure => 1, base => 'http://x/espace-client/' },
    qr/is plain http/);
wrong('server level', { server => 'portal main http://x/;' },
    qr/"portal" directive is not allowed here/);

# S5: one directive makes the content, and not two

my $handlers = qr/another content handler/;

wrong('proxy_pass after it', { portal => 'proxy_pass http://127.0.0.1:1;' },
    $handlers);
wrong('empty_gif after it', { portal => 'empty_gif;' }, $handlers);

{
    my $text = $t->conf(error_log => "$dir/check.log");
    $text =~ s/^(?=\s+portal  )/proxy_pass http:\/\/127.0.0.1:1;/m;
    wrong('proxy_pass before it', { text => $text }, $handlers);
}

wrong('proxy_pass in "if"',
    { portal => 'if ($arg_a) { proxy_pass http://127.0.0.1:1; }' }, $handlers);
wrong('proxy_pass in "limit_except"',
    { portal => 'limit_except GET { proxy_pass http://127.0.0.1:1; }' },
    $handlers);
right('proxy_pass in a location within', { portal =>
    'location /espace-client/x/ { proxy_pass http://127.0.0.1:1; }' });
wrong('a page without its portal', { site => 'location /x/ {
    portal_page GET / -; proxy_pass http://127.0.0.1:1; }' },
    qr/"portal_page" in a location without "portal"/);

# storage

wrong('no storage', { storage => "$dir/none" },
    qr/portal_storage "\S+none" cannot be used/);
wrong('storage is a file', { storage => "$dir/portal.key" },
    qr/is not a directory/);

mkdir "$dir/narrow";
chmod 0700, "$dir/narrow";
SKIP: {
    skip 'not root', 2 if $> != 0;
    wrong('storage of another', { storage => "$dir/narrow" },
        qr/workers' user cannot read and write portal_storage.*mode 0700/);
}
chown $t->web_ids, "$dir/narrow";
chmod 0500, "$dir/narrow";
wrong('storage that is read-only', { storage => "$dir/narrow" },
    qr/cannot read and write portal_storage.*mode 0500/);
chmod 0700, "$dir/narrow";
right('storage of the workers', { storage => "$dir/narrow" });

# by another group of the workers' user, and by an access list

SKIP: {
    my ($user, $group);

    setgrent;
    while (my @g = getgrent) {
        ($user) = grep { my @u = getpwnam $_; @u && $u[2] != 0
            && $u[3] != $g[2] } split ' ', $g[3];
        $group = $g[2], last if $user;
    }

    skip 'not root, or nobody has another group', 2 if $> != 0 || !$user;
    chown 0, $group, "$dir/narrow";
    chmod 0770, "$dir/narrow";
    my $text = $t->conf(error_log => "$dir/check.log",
        storage => "$dir/narrow") =~ s/^user .*/user $user;/mr;
    right("storage of a group of $user", { text => $text });
    chmod 0700, "$dir/narrow";
    wrong('storage of another user', { text => $text },
        qr/workers' user cannot read and write portal_storage.*mode 0700/);
}

SKIP: {
    my ($uid) = $t->web_ids;
    skip 'not root', 2 if $> != 0;
    chown 0, 0, "$dir/narrow";
    skip 'no access lists here', 2 if !listed("$dir/narrow", $uid, 7);
    right('storage by an access list', { storage => "$dir/narrow" });
    listed("$dir/narrow", $uid, 0);
    chmod 0777, "$dir/narrow";
    listed("$dir/narrow", $uid, 0);
    wrong('storage but for an access list', { storage => "$dir/narrow" },
        qr/cannot read and write portal_storage/);
}

for my $directive (qw(portal_storage portal_templates)) {
    my $text = $t->conf(error_log => "$dir/check.log");
    $text =~ s/^\s+$directive .*$//m;
    ($ok, $said) = $t->check(text => $text);
    ok(!$ok, "no $directive");
    like($said, qr/"\/espace-client\/" has no "$directive" in \S+:\d+/,
        'named');
}

wrong('no page', { include => 0 }, qr/has no "portal_page"/);
wrong('storage twice', { portal => "portal_storage $dir/files;" },
    qr/is duplicate/);

# limits

wrong("session: $_", { session => $_ }, qr/invalid parameter "\Q$_\E"/)
    for 'idle=59', 'absolute=32d', 'idle=x', 'idel=30m', 'secure=maybe';
wrong("password: $_", { password => $_ }, qr/invalid parameter "\Q$_\E"/)
    for 'memory=8m', 'memory=257m', 'ops=1', 'ops=11', 'threads=0',
        'threads=65', 'queue=0', 'queue=1025', 'memroy=64m', 'memory=x';
right("session: $_", { session => $_ })
    for 'idle=60', 'absolute=31d staff_idle=15m staff_absolute=8h';
right("password: $_", { password => $_ })
    for 'memory=19m ops=2', 'memory=256m ops=10 threads=1 queue=1';

($ok, $said) = $t->check(password => 'memory=256m threads=64',
    workers => 16);
ok($ok, 'much memory for hashing');
like($said, qr/\[warn\].*hashing may take 262144M .*in \S+check\.conf:\d+/,
    'is warned of');

# S14: the threads of the workers are of all portals

for my $second ('memory=19m threads=2', 'memory=19m queue=7') {
    my @portals = ({}, { mount => '/b/', name => 'second',
        password => $second });
    wrong("two portals, $second", { servers => [ { portals => \@portals } ] },
        qr{"/b/" has "portal_password .* in \S+:\d+, but "/espace-client/"});
    $portals[0]{password} = $second;
    right("both $second", { servers => [ { portals => \@portals } ] });
}

# T67: regex locations that would take requests away

my $regex = 'location ~* \.pdf$ { return 200; }';
my $taken = qr/can be taken over by regex location.*check\.conf:\d+.*\^~/;

wrong('regex beside it', { modifier => '', site => $regex }, $taken);
wrong('regex before it', { modifier => '', server => $regex }, $taken);
right('^~ beside a regex', { site => $regex });
right('portal_regex_ok', { modifier => '', site => $regex,
    portal => 'portal_regex_ok on;' });
right('portal_regex_ok further out', { modifier => '', site => $regex,
    http => 'portal_regex_ok on;' });
right('no regex', { modifier => '' });
wrong('nested', { mount => '/a/b/', modifier => '', server =>
    "location /a/ { $regex }", site => $regex }, $taken);

nested("location ^~ /a/ { %s $regex }", '', 0, 'regex within the outer one');
nested("location ^~ /a/ { %s $regex }", '^~', 1, '^~ within it');
nested("location /a/ { %s } $regex", '^~', 1, '^~ inside a plain location');
nested("location ^~ /a/ { location /a/b/ { %s $regex } }", '', 0, 'deeper');

# no database is asked

unlike($t->read('check.log'), qr/could not connect|connection to/,
    'nginx -t does not connect');

$t->done;


sub right {
    my ($what, $options) = @_;
    my ($good, $output) = $t->check(%$options);
    ok($good, $what) or diag($output);
    return;
}


# nginx -t fails, its message names a file and a line, and is that one.
sub wrong {
    my ($what, $options, $message, $secret) = @_;
    my ($good, $output) = $t->check(%$options);

    ok(!$good, "wrong: $what");
    my ($line) = grep { /\[emerg\]/ } split /\n/, $output;
    like($line // $output, $message, 'its message');
    like($line // $output, qr{(?:in|of|"|:) ?"?/\S+"?:\d+}, 'file and line');
    unlike($output, $secret, 'and no secret') if $secret;
    return;
}


# An access list that gives a user these rights, as setfacl makes it.
sub listed {
    my ($path, $uid, $rights) = @_;
    my $none = 0xffffffff;
    my $acl = pack 'V(vvV)5', 2, 1, 7, $none, 2, $rights, $uid, 4, 7, $none,
        16, 7, $none, 32, 7, $none;
    my ($file, $name) = ($path, 'system.posix_acl_access');

    # setxattr() of x86-64
    return syscall(188, $file, $name, $acl, length $acl, 0) == 0;
}


# The portal location of the configuration inside of another one.
sub nested {
    my ($outer, $modifier, $good, $what) = @_;
    my $text = $t->conf(error_log => "$dir/check.log", mount => '/a/b/c/',
        modifier => $modifier);
    $text =~ s/^(\s+location\s+\S*\s*\/a\/b\/c\/ \{.*?^        \}$)/sprintf
        $outer, $1/ems;

    my ($right, $output) = $t->check(text => $text);
    is($right ? 1 : 0, $good, "nested: $what") or diag($output);
    like($output, qr/can be taken over/, 'and says so') if !$good;
    return;
}
