/* The base classes in C of Python's classes: the state that updates read and write. */

#include "core.h"

/* SpanCount */

static PyMemberDef span_count_members[] = {
    {"live", T_LONGLONG, offsetof(SpanCount, live), 0, NULL},
    {NULL},
};

static PyType_Slot span_count_slots[] = {
    {Py_tp_doc, "The number of live sampled spans."},
    {Py_tp_members, span_count_members},
    {0, NULL},
};

PyType_Spec span_count_spec = {
    .name = "otel_meta_native.SpanCount",
    .basicsize = sizeof(SpanCount),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .slots = span_count_slots,
};

/* Bounds */

static int
fill_bounds(Bounds *self)
{
    for (Py_ssize_t index = 0; index < self->count; index++) {
        PyObject *bound = PyTuple_GetItem(self->given, index);
        self->values[index] = bound == NULL ? -1.0 : PyFloat_AsDouble(bound);
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
bounds_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *given;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "O!:Bounds", &PyTuple_Type, &given)) {
        return NULL;
    }
    Bounds *self = (Bounds *)PyType_GenericAlloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->given = Py_NewRef(given);
    self->count = PyTuple_Size(given);
    self->values = PyMem_Calloc((size_t)self->count + 1, sizeof(double));
    if (self->values == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    if (fill_bounds(self) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    return (PyObject *)self;
}

static void
bounds_free(PyObject *object)
{
    Bounds *self = (Bounds *)object;
    PyTypeObject *type = Py_TYPE(object);
    Py_XDECREF(self->given);
    PyMem_Free(self->values);
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyType_Slot bounds_slots[] = {
    {Py_tp_new, bounds_new},
    {Py_tp_dealloc, bounds_free},
    {0, NULL},
};

PyType_Spec bounds_spec = {
    .name = "otel_meta_native.Bounds",
    .basicsize = sizeof(Bounds),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = bounds_slots,
};

/* CellState */

static int
cell_visit(PyObject *object, visitproc visit, void *arg)
{
    CellState *self = (CellState *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->numbers);
    Py_VISIT(self->spans);
    return 0;
}

static int
cell_clear(PyObject *object)
{
    CellState *self = (CellState *)object;
    self->writable = 0;
    self->doubles = NULL;
    self->width = 0;
    Py_CLEAR(self->numbers);
    Py_CLEAR(self->spans);
    Py_CLEAR(self->bounds);
    return 0;
}

static void
cell_free(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    cell_clear(object);
    freefunc free_memory = PyType_GetSlot(type, Py_tp_free);
    free_memory(object);
    Py_DECREF(type);
}

/* Find the doubles of a buffer. The buffer is returned to its owner at once: the memory stays as
   long as the owner lives, because nothing resizes the numbers of a series, or releases them. */
int
find_doubles(PyObject *numbers, volatile double **doubles, Py_ssize_t *width)
{
    Py_buffer view;
    if (PyObject_GetBuffer(numbers, &view, PyBUF_CONTIG | PyBUF_FORMAT) < 0) {
        return -1;
    }
    int fits = view.itemsize == sizeof(double) && view.format != NULL && view.format[0] == 'd'
        && view.format[1] == '\0' && view.len > 0;
    *doubles = view.buf;
    *width = view.len / (Py_ssize_t)sizeof(double);
    PyBuffer_Release(&view);
    if (!fits) {
        PyErr_SetString(PyExc_TypeError, "the numbers of a series are doubles");
        return -1;
    }
    return 0;
}

static PyObject *
get_numbers(PyObject *object, void *unused)
{
    CellState *self = (CellState *)object;
    (void)unused;
    lock(&self->lock);
    PyObject *numbers = Py_XNewRef(self->numbers);
    unlock(&self->lock);
    if (numbers == NULL) {
        PyErr_SetString(PyExc_AttributeError, "numbers");
    }
    return numbers;
}

static int
set_numbers(PyObject *object, PyObject *numbers, void *unused)
{
    CellState *self = (CellState *)object;
    volatile double *doubles;
    Py_ssize_t width;
    (void)unused;
    if (numbers == NULL) {
        PyErr_SetString(PyExc_AttributeError, "numbers stay");
        return -1;
    }
    if (find_doubles(numbers, &doubles, &width) < 0) {
        return -1;
    }
    lock(&self->lock);
    PyObject *before = self->numbers;
    self->numbers = Py_NewRef(numbers);
    self->doubles = doubles;
    self->width = width;
    unlock(&self->lock);
    Py_XDECREF(before);
    return 0;
}

static PyObject *
get_bounds(PyObject *object, void *unused)
{
    CellState *self = (CellState *)object;
    (void)unused;
    if (self->bounds == NULL) {
        PyErr_SetString(PyExc_AttributeError, "bounds");
        return NULL;
    }
    return Py_NewRef(self->bounds->given);
}

static int
set_bounds(PyObject *object, PyObject *given, void *unused)
{
    CellState *self = (CellState *)object;
    (void)unused;
    if (given == NULL || self->bounds != NULL) {
        PyErr_SetString(PyExc_AttributeError, "the bounds of a series stay");
        return -1;
    }
    self->bounds = (Bounds *)PyObject_CallFunctionObjArgs(core.shared_bounds, given, NULL);
    return self->bounds == NULL ? -1 : 0;
}

static PyObject *
get_writable(PyObject *object, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((CellState *)object)->writable);
}

static int
set_writable(PyObject *object, PyObject *value, void *unused)
{
    CellState *self = (CellState *)object;
    int is_true = value == NULL ? 0 : PyObject_IsTrue(value);
    (void)unused;
    if (is_true < 0) {
        return -1;
    }
    lock(&self->lock); /* so that an update that began before has ended */
    self->writable = (char)is_true;
    unlock(&self->lock);
    return 0;
}

static PyObject *
get_spans(PyObject *object, void *unused)
{
    CellState *self = (CellState *)object;
    (void)unused;
    if (self->spans == NULL) {
        PyErr_SetString(PyExc_AttributeError, "spans");
        return NULL;
    }
    return Py_NewRef((PyObject *)self->spans);
}

/* The spans of a series are set before other threads see it. */
static int
set_spans(PyObject *object, PyObject *spans, void *unused)
{
    CellState *self = (CellState *)object;
    (void)unused;
    if (spans == NULL || !PyObject_TypeCheck(spans, core.span_count)) {
        PyErr_SetString(PyExc_TypeError, "the spans of a series are a SpanCount");
        return -1;
    }
    PyObject *before = (PyObject *)self->spans;
    self->spans = (SpanCount *)Py_NewRef(spans);
    Py_XDECREF(before);
    return 0;
}

static PyGetSetDef cell_attributes[] = {
    {"numbers", get_numbers, set_numbers, NULL, NULL},
    {"bounds", get_bounds, set_bounds, NULL, NULL},
    {"writable", get_writable, set_writable, NULL, NULL},
    {"spans", get_spans, set_spans, NULL, NULL},
    {NULL},
};

static PyType_Slot cell_slots[] = {
    {Py_tp_doc, "The state of a series that its updates read and write."},
    {Py_tp_dealloc, cell_free},
    {Py_tp_traverse, cell_visit},
    {Py_tp_clear, cell_clear},
    {Py_tp_getset, cell_attributes},
    {0, NULL},
};

PyType_Spec cell_state_spec = {
    .name = "otel_meta_native.CellState",
    .basicsize = sizeof(CellState),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = cell_slots,
};
