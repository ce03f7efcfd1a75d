
/*
 * Copyright (C) the nginx client portal authors
 *
 * Jobs in threads, detached from requests.  Life of a task:
 *
 *     create -> post -> run() in a thread -> done() if still waited for
 *                                         -> cleanup() -> destroyed
 *
 * cancel() may come at any moment from the event loop; it clears data and
 * nothing else, since the thread may be reading args.
 */


#include "ngx_portal_core.h"
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>


#define NGX_PORTAL_TASK_TIMER  10000


static void *ngx_portal_arena_alloc(void *ctx, size_t size);
static void ngx_portal_task_thread(void *data, ngx_log_t *log);
static void ngx_portal_task_completed(ngx_event_t *ev);
static void ngx_portal_task_timer(ngx_event_t *ev);


extern ngx_module_t  ngx_thread_pool_module;


void
ngx_portal_arena_init(portal_arena_t *arena, ngx_pool_t *pool)
{
    arena->alloc = ngx_portal_arena_alloc;
    arena->ctx = pool;
}


static void *
ngx_portal_arena_alloc(void *ctx, size_t size)
{
    return ngx_palloc(ctx, size);
}


ngx_portal_task_t *
ngx_portal_task_create(size_t args_size)
{
    ngx_pool_t         *pool;
    ngx_portal_task_t  *task;

    pool = ngx_create_pool(1024, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    task = ngx_pcalloc(pool, sizeof(ngx_portal_task_t));
    if (task == NULL) {
        goto failed;
    }

    task->pool = pool;

    task->args = ngx_pcalloc(pool, args_size ? args_size : 1);
    if (task->args == NULL) {
        goto failed;
    }

    task->thread = ngx_thread_task_alloc(pool, sizeof(ngx_portal_task_t *));
    if (task->thread == NULL) {
        goto failed;
    }

    *(ngx_portal_task_t **) task->thread->ctx = task;

    return task;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


ngx_int_t
ngx_portal_task_post(ngx_portal_task_t *task, ngx_thread_pool_t *tp)
{
    task->thread->handler = ngx_portal_task_thread;
    task->thread->event.data = task;
    task->thread->event.handler = ngx_portal_task_completed;

    task->timer.data = task;
    task->timer.handler = ngx_portal_task_timer;
    task->timer.log = ngx_cycle->log;

    if (ngx_thread_task_post(tp, task->thread) != NGX_OK) {
        ngx_portal_task_destroy(task);
        return NGX_BUSY;
    }

    ngx_add_timer(&task->timer, NGX_PORTAL_TASK_TIMER);

    return NGX_OK;
}


void
ngx_portal_task_cancel(ngx_portal_task_t *task)
{
    task->data = NULL;
}


void
ngx_portal_task_destroy(ngx_portal_task_t *task)
{
    if (task->cleanup) {
        task->cleanup(task);
    }

    ngx_destroy_pool(task->pool);
}


static void
ngx_portal_task_thread(void *data, ngx_log_t *log)
{
    ngx_portal_task_t  *task = *(ngx_portal_task_t **) data;

    (void) log;

    task->run(task);
}


static void
ngx_portal_task_completed(ngx_event_t *ev)
{
    void               *data;
    ngx_portal_task_t  *task = ev->data;

    if (task->timer.timer_set) {
        ngx_del_timer(&task->timer);
    }

    data = task->data;

    if (data) {
        task->data = NULL;
        task->done(data, task);
    }

    ngx_portal_task_destroy(task);
}


static void
ngx_portal_task_timer(ngx_event_t *ev)
{
    /* only keeps a worker that shuts down waiting in its event loop */

    ev->timedout = 0;
    ngx_add_timer(ev, NGX_PORTAL_TASK_TIMER);
}


ngx_thread_pool_t *
ngx_portal_thread_pool(ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t threads,
    ngx_uint_t queue)
{
    u_char             *p;
    ngx_str_t          *value;
    ngx_conf_t          pcf;
    ngx_array_t        *args;
    ngx_command_t      *cmd;
    ngx_thread_pool_t  *tp;

    tp = ngx_thread_pool_get((ngx_cycle_t *) cf->cycle, name);
    if (tp) {
        return tp;
    }

    /*
     * The pool's size is private to the core: the directive's own handler
     * is the only door to it.
     */

    args = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (args == NULL) {
        return NULL;
    }

    value = ngx_array_push_n(args, 4);
    if (value == NULL) {
        return NULL;
    }

    ngx_str_set(&value[0], "thread_pool");
    value[1] = *name;

    p = ngx_pnalloc(cf->pool, 2 * (sizeof("max_queue=") + NGX_INT_T_LEN));
    if (p == NULL) {
        return NULL;
    }

    value[2].data = p;
    p = ngx_sprintf(p, "threads=%ui%Z", threads);
    value[2].len = p - value[2].data - 1;

    value[3].data = p;
    p = ngx_sprintf(p, "max_queue=%ui%Z", queue);
    value[3].len = p - value[3].data - 1;

    pcf = *cf;
    pcf.args = args;
    cmd = ngx_thread_pool_module.commands;

    if (cmd->set(&pcf, cmd, NULL) != NGX_CONF_OK) {
        return NULL;
    }

    return ngx_thread_pool_get((ngx_cycle_t *) cf->cycle, name);
}


void
ngx_portal_thread_nice(void)
{
    static __thread int  done;

    if (!done) {
        done = 1;
        (void) setpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid), 10);
    }
}
