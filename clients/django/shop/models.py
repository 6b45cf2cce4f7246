from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=100)

    class Meta:
        permissions = [("lend_book", "Can lend a book")]

    def __str__(self):
        return self.title


class Shelf(models.Model):
    name = models.CharField(max_length=100)
