#!/usr/bin/perl

# Signing in and out as a person in a browser does it, over TLS and HTTP/2.

use FindBin;
use lib "$FindBin::Bin/lib", "$FindBin::Bin/../lib";
use Portal::Browser;

my $b = Portal::Browser->new(run => { tls => 1, http2 => 1 });
$b->run('sign_in.mjs');
$b->done;
