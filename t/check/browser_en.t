#!/usr/bin/perl

# Every page in every state, in English: see browser.t.

use FindBin;
use lib "$FindBin::Bin/../browser/lib", "$FindBin::Bin/../lib";
use Portal::Pages;

Portal::Pages::run('en');
