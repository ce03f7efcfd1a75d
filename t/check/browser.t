#!/usr/bin/perl

# Every page in every state, in French, at two sizes, light and dark: form,
# axe, pictures in build/screenshots.  English is in browser_en.t; the
# scenarios of t/browser check what they come by.

use FindBin;
use lib "$FindBin::Bin/../browser/lib", "$FindBin::Bin/../lib";
use Portal::Pages;

Portal::Pages::run('fr');
