/* The recording function of a handle: a value into one series. */

#include "core.h"

typedef struct {
    Front front;
    const Kind *kind;
    PyObject *convert;
    PyObject *cell;
    PyObject *labels;
    PyObject *slow_path;
    Lock lock; /* of `cell` */
} BoundCall;

/* Return the cell; in free-threaded builds a new reference, since another thread may replace it. */
static PyObject *
hold_cell(BoundCall *self)
{
    lock(&self->lock);
    PyObject *cell = Py_NewRef(self->cell);
    unlock(&self->lock);
    return cell;
}

static void
replace_cell(BoundCall *self, PyObject *cell)
{
    lock(&self->lock);
    PyObject *before = self->cell;
    self->cell = Py_NewRef(cell);
    unlock(&self->lock);
    Py_DECREF(before);
}

static PyObject *
record_slow_path(BoundCall *self, PyObject *value)
{
    PyObject *cell = PyObject_CallFunctionObjArgs(self->slow_path, value, core.no_arguments,
                                                  self->labels, NULL);
    if (cell == NULL) {
        return NULL;
    }
    if (cell != Py_None) {
        replace_cell(self, cell);
    }
    Py_DECREF(cell);
    Py_RETURN_NONE;
}

static PyObject *
bound_call_call(PyObject *object, PyObject *const *args, size_t nargsf, PyObject *names)
{
    BoundCall *self = (BoundCall *)object;
    if (ARGUMENT_COUNT(nargsf) != 1 || names != NULL) {
        return call_reference(object, args, nargsf, names);
    }
    PyObject *held = hold_cell(self);
    CellState *cell = as_cell(held);
    int done = cell == NULL ? 0 : record_any(self->kind, cell, args[0], self->convert);
    Py_DECREF(held);
    if (done > 0) {
        Py_RETURN_NONE;
    }
    return done < 0 ? NULL : record_slow_path(self, args[0]);
}

static PyObject *
bound_call_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *reference, *convert, *cell, *labels, *slow_path;
    const char *kind;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "OsOOOO:BoundCall", &reference, &kind, &convert, &cell, &labels,
                          &slow_path)) {
        return NULL;
    }
    const Kind *row = find_kind(kind);
    BoundCall *self = row == NULL ? NULL : (BoundCall *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->front.vectorcall = bound_call_call;
    self->front.reference = Py_NewRef(reference);
    self->kind = row;
    self->convert = Py_NewRef(convert);
    self->cell = Py_NewRef(cell);
    self->labels = Py_NewRef(labels);
    self->slow_path = Py_NewRef(slow_path);
    return (PyObject *)self;
}

static int
bound_call_visit(PyObject *object, visitproc visit, void *arg)
{
    BoundCall *self = (BoundCall *)object;
    Py_VISIT(self->convert);
    Py_VISIT(self->cell);
    Py_VISIT(self->labels);
    Py_VISIT(self->slow_path);
    return front_visit(object, visit, arg);
}

static void
bound_call_free(PyObject *object)
{
    BoundCall *self = (BoundCall *)object;
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->convert);
    Py_XDECREF(self->cell);
    Py_XDECREF(self->labels);
    Py_XDECREF(self->slow_path);
    front_free(object);
}

static PyType_Slot bound_call_slots[] = {
    FRONT_SLOTS,
    {Py_tp_new, bound_call_new},
    {Py_tp_traverse, bound_call_visit},
    {Py_tp_dealloc, bound_call_free},
    {Py_tp_descr_get, front_bind},
    {0, NULL},
};

PyType_Spec bound_call_spec = {
    .name = "otel_meta_native.BoundCall",
    .basicsize = sizeof(BoundCall),
    .flags = FRONT_FLAGS,
    .slots = bound_call_slots,
};
