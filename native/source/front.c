/* What the functions in front of a function of Python have in common. */

#include "core.h"

/* Call the reference with the arguments of a vectorcall. */
PyObject *
call_reference(PyObject *self, PyObject *const *args, size_t nargsf, PyObject *names)
{
    Py_ssize_t count = ARGUMENT_COUNT(nargsf);
    Py_ssize_t name_count = names == NULL ? 0 : PyTuple_Size(names);
    PyObject *result = NULL;
    PyObject *positional = PyTuple_New(count);
    PyObject *by_name = name_count ? PyDict_New() : NULL;
    if (positional == NULL || (name_count && by_name == NULL)) {
        goto done;
    }
    for (Py_ssize_t index = 0; index < count; index++) {
        PyTuple_SetItem(positional, index, Py_NewRef(args[index]));
    }
    for (Py_ssize_t index = 0; index < name_count; index++) {
        if (PyDict_SetItem(by_name, PyTuple_GetItem(names, index), args[count + index]) < 0) {
            goto done;
        }
    }
    result = PyObject_Call(((Front *)self)->reference, positional, by_name);
done:
    Py_XDECREF(positional);
    Py_XDECREF(by_name);
    return result;
}

/* For callers that have a tuple and a dictionary, and do not know the vectorcall. */
PyObject *
front_call(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return PyObject_Call(((Front *)self)->reference, args, kwargs);
}

/* Attributes are those of the reference, except the class and what only this object has. */
PyObject *
front_get(PyObject *self, PyObject *name)
{
    if (PyUnicode_CompareWithASCIIString(name, "__class__") == 0) {
        return PyObject_GenericGetAttr(self, name);
    }
    PyObject *found = PyObject_GetAttr(((Front *)self)->reference, name);
    if (found != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
        return found;
    }
    PyErr_Clear();
    return PyObject_GenericGetAttr(self, name);
}

int
front_set(PyObject *self, PyObject *name, PyObject *value)
{
    return PyObject_SetAttr(((Front *)self)->reference, name, value);
}

PyObject *
front_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<native %R>", ((Front *)self)->reference);
}

/* Free a front, whose type has released its own references before. No type has a `tp_clear`: the
   function in Python is in each circle of references, and breaks it. */
void
front_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (((Front *)self)->weak_references != NULL) {
        PyObject_ClearWeakRefs(self);
    }
    Py_XDECREF(((Front *)self)->reference);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

int
front_visit(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Front *)self)->reference);
    return 0;
}

/* `inspect` takes an object with this method for a routine. */
PyObject *
front_bind(PyObject *self, PyObject *instance, PyObject *owner)
{
    (void)instance, (void)owner; /* it is bound already */
    return Py_NewRef(self);
}

static PyObject *
copy(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(self);
}

/* A function is copied by reference. */
PyMethodDef front_methods[] = {
    {"__copy__", copy, METH_NOARGS, NULL},
    {"__deepcopy__", copy, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

PyMemberDef front_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Front, vectorcall), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Front, weak_references), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};
