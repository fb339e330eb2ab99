// The C client of the Redis project, as Debian packages it.
#include <hiredis/hiredis.h>
