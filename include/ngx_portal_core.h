
/*
 * Copyright (C) the nginx client portal authors
 *
 * What src/core adds to nginx's core types: an arena over a pool, and jobs
 * in threads that outlive the request which posted them.
 */


#ifndef _NGX_PORTAL_CORE_H_INCLUDED_
#define _NGX_PORTAL_CORE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_thread_pool.h>
#include "portal_common.h"


/* ngx_str_t and portal_str_t have one layout. */
#define ngx_portal_str(s)  ((portal_str_t *) (s))


/* An arena whose memory comes from the pool and goes with it. */
void ngx_portal_arena_init(portal_arena_t *arena, ngx_pool_t *pool);


/*
 * A job in a thread.  It has a pool of its own and lives until its thread
 * function has returned, whether or not the one who asked still waits:
 * ngx_portal_task_cancel() only cuts the link.  While it runs it holds a
 * timer that is not cancelable, without which a worker that shuts down
 * would leave under it.
 */
typedef struct ngx_portal_task_s  ngx_portal_task_t;

typedef void (*ngx_portal_task_run_pt)(ngx_portal_task_t *task);
typedef void (*ngx_portal_task_done_pt)(void *data, ngx_portal_task_t *task);

struct ngx_portal_task_s {
    ngx_pool_t               *pool;
    void                     *args;      /* cleared, args_size bytes */

    ngx_portal_task_run_pt    run;       /* in the thread: no ngx_ call */
    ngx_portal_task_done_pt   done;      /* in the event loop, if waited for */
    ngx_portal_task_run_pt    cleanup;   /* in the event loop, always, last */
    void                     *data;      /* of done(); NULL: cancelled */

    ngx_thread_task_t        *thread;
    ngx_event_t               timer;
};


/* NULL: out of memory.  Until it is posted, ngx_portal_task_destroy() it. */
ngx_portal_task_t *ngx_portal_task_create(size_t args_size);

/*
 * NGX_OK: done() will be called from the event loop, never from here;
 * NGX_BUSY: the queue is full, the task was destroyed.
 */
ngx_int_t ngx_portal_task_post(ngx_portal_task_t *task,
    ngx_thread_pool_t *tp);

/* Nobody waits any more: done() will not be called, cleanup() will. */
void ngx_portal_task_cancel(ngx_portal_task_t *task);

void ngx_portal_task_destroy(ngx_portal_task_t *task);

/*
 * Gets or makes the named thread pool with this many threads and this much
 * queue per worker, as the directive "thread_pool" would; NULL: logged.
 */
ngx_thread_pool_t *ngx_portal_thread_pool(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t threads, ngx_uint_t queue);

/*
 * Called at the start of a thread function: lowers the priority of the
 * calling thread to nice +10 once (measured: the site's p99 then does not
 * feel password hashing).
 */
void ngx_portal_thread_nice(void);


#endif /* _NGX_PORTAL_CORE_H_INCLUDED_ */
