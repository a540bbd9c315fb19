/* Parts that the files of the module share.

   The theory of operation stands in otel_meta/runtime/recording/atomic.py. With a GIL, a function
   here is atomic as long as it calls nothing that may run Python code: no thread and no signal
   handler runs in between. Free-threaded builds hold the lock of the one series, see lock.h. */

#ifndef OTEL_META_CORE_H
#define OTEL_META_CORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include "lock.h"

/* Names that the stable ABI has since 3.12. The bits and the type are those of every version since
   3.8, and of all later ones. */
#ifndef Py_TPFLAGS_HAVE_VECTORCALL
#define Py_TPFLAGS_HAVE_VECTORCALL (1UL << 11)
#endif
#ifndef PY_VECTORCALL_ARGUMENTS_OFFSET
#define PY_VECTORCALL_ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))
#endif
typedef PyObject *(*Vectorcall)(PyObject *, PyObject *const *, size_t, PyObject *);
#define ARGUMENT_COUNT(nargsf) ((Py_ssize_t)((nargsf) & ~PY_VECTORCALL_ARGUMENTS_OFFSET))

/* The number of live sampled spans. */
typedef struct {
    PyObject_HEAD
    volatile long long live;
} SpanCount;

/* The bounds of the buckets of a histogram, which all of its series share. */
typedef struct {
    PyObject_HEAD
    PyObject *given; /* the tuple */
    double *values;
    Py_ssize_t count;
} Bounds;

/* The state of a series: what an update reads and writes. */
typedef struct {
    PyObject_HEAD
    PyObject *numbers;        /* owns the memory of `doubles`, which stays while the owner lives */
    volatile double *doubles; /* other processes read them: each store is whole, and in order */
    Py_ssize_t width;
    SpanCount *spans;
    Bounds *bounds; /* NULL but for a histogram */
    Lock lock;
    char writable;
} CellState;

/* A function in C in front of a function in Python, the reference. Whatever is not the common case
   is a call of the reference. Its attributes are those of the reference, for `help`, `inspect` and
   `dis`. */
typedef struct {
    PyObject_HEAD
    Vectorcall vectorcall;
    PyObject *reference;
    PyObject *weak_references;
} Front;

/* One kind of instrument. `record` records a number, which the value says. It returns 1; 0 if it
   refuses the number, or if the series was removed; -1 for an exception after the update. */
typedef struct {
    const char *name;
    int (*record)(CellState *cell, PyObject *value, double number);
} Kind;

/* The types, and the objects of other modules. There is one interpreter, see module.c. */
typedef struct {
    PyTypeObject *span_count;
    PyTypeObject *bounds;
    PyTypeObject *cell_state;
    PyTypeObject *cell_method;
    PyTypeObject *typed_call;
    PyTypeObject *bound_call;
    PyObject *shared_bounds; /* returns the Bounds of a tuple */
    PyObject *bound_method;  /* types.MethodType */
    PyObject *time;          /* the module, whose function a test may replace */
    PyObject *no_arguments;
} Core;

extern Core core;

static inline CellState *
as_cell(PyObject *object)
{
    return PyObject_TypeCheck(object, core.cell_state) ? (CellState *)object : NULL;
}

/* numbers.c */
int plain_number(PyObject *value, double *number);
int convert_number(PyObject *convert, PyObject *value, PyObject **converted, double *number);

/* kinds.c */
const Kind *find_kind(const char *name);
int record_any(const Kind *kind, CellState *cell, PyObject *value, PyObject *convert);

/* front.c */
#define FRONT_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL)
#define FRONT_SLOTS                                                                                \
    {Py_tp_getattro, front_get}, {Py_tp_setattro, front_set}, {Py_tp_call, front_call},            \
        {Py_tp_repr, front_repr}, {Py_tp_methods, front_methods}, {Py_tp_members, front_members}
extern PyMethodDef front_methods[];
extern PyMemberDef front_members[];
PyObject *front_get(PyObject *self, PyObject *name);
int front_set(PyObject *self, PyObject *name, PyObject *value);
PyObject *front_call(PyObject *self, PyObject *args, PyObject *kwargs);
PyObject *front_repr(PyObject *self);
void front_free(PyObject *self);
int front_visit(PyObject *self, visitproc visit, void *arg);
PyObject *front_bind(PyObject *self, PyObject *instance, PyObject *owner);
PyObject *call_reference(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names);

/* state.c */
int find_doubles(PyObject *numbers, volatile double **doubles, Py_ssize_t *width);

/* state.c, cell_method.c, typed_call.c, bound_call.c */
extern PyType_Spec span_count_spec, bounds_spec, cell_state_spec;
extern PyType_Spec cell_method_spec, typed_call_spec, bound_call_spec;

#endif
